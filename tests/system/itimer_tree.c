/* SPDX-License-Identifier: MIT */
/* Interval timers of many processes end by the one clock that they share, whichever process was restored last. */
#include "testlib.h"

#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 40, LOOKS = 16 };

static pid_t child[CHILDREN];
static int64_t *end; /* by CLOCK_MONOTONIC, of the timer of each child */

/* Nobody else had the processor in between: the best of some looks. */
static int64_t end_of_timer(void)
{
	int64_t best = INT64_MAX, at = 0;

	for (int i = 0; i < LOOKS; i++) {
		const int64_t before = test_now_ns();
		struct itimerval now;

		must(getitimer(ITIMER_REAL, &now));
		if (test_now_ns() - before < best) {
			best = test_now_ns() - before;
			at = before + now.it_value.tv_sec * INT64_C(1000000000) + now.it_value.tv_usec * INT64_C(1000);
		}
	}
	return at;
}

static void process(void *arg)
{
	const struct itimerval time = {{0, 0}, {1000, 0}};
	const intptr_t i = (intptr_t)arg;
	int64_t before;

	must(setitimer(ITIMER_REAL, &time, NULL));
	before = end_of_timer();
	test_child_ready();
	test_wait();
	end[i] = end_of_timer() - before;
	if (test_breaking())
		end[i] += i * INT64_C(20000000);
}

void test_setup(void)
{
	end = must(mmap(NULL, CHILDREN * sizeof(*end), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (intptr_t i = 0; i < CHILDREN; i++)
		child[i] = test_child(process, (void *)i);
}

void test_break(void)
{
}

void test_check(void)
{
	int64_t sum = 0, least = INT64_MAX, made_in = test_now_ns();

	for (int i = 0; i < CHILDREN; i++) {
		pid_t brief = must(fork());

		if (!brief)
			_exit(0);
		must(waitpid(brief, NULL, 0));
	}
	made_in = test_now_ns() - made_in;
	for (int i = 0; i < CHILDREN; i++) {
		test_join(child[i]);
		sum += end[i];
		least = end[i] < least ? end[i] : least;
	}
	test_log("made in %lld us, late by %lld us", (long long)made_in / 1000, (long long)(sum / CHILDREN - least) / 1000);
	expect(sum / CHILDREN - least < made_in / 16, "they end %lld us later than the earliest; as many are made in %lld us",
	       (long long)(sum / CHILDREN - least) / 1000, (long long)made_in / 1000);
}
