/* SPDX-License-Identifier: MIT */
/* Two hundred timers whose IDs have gaps, of two processes: each is found by its ID, and new ones get others. */
#include "timers.h"

#include <string.h>

enum { ALL = 300, FAR = 1000 };

static timer_t timer[ALL];
static pid_t child;

static bool is_kept(int i)
{
	return i % 3 != 1;
}

static void make(int seed)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};

	for (int i = 0; i < ALL; i++) {
		timer[i] = timer_new(clocks[i % 3], i % 5 ? SIGRTMIN + 1 + i % 7 : 0, i % 4 ? 0 : gettid(), (void *)(intptr_t)(i * 1000 + seed));
		if (i % 6)
			timer_start(timer[i], (FAR + i) * 1000 * MS, (i + seed) * MS, 0);
	}
	for (int i = 0; i < ALL; i++)
		if (!is_kept(i))
			must(timer_delete(timer[i]));
}

static void look(int seed)
{
	struct itimerspec time;

	for (int i = 0; i < ALL; i++) {
		/* what is deleted the C library may have put elsewhere */
		if (!is_kept(i))
			continue;
		expect(timer_gettime(timer[i], &time) == 0, "timer %d is gone", i);
		expect(i % 6 ? time.it_interval.tv_nsec == (i + seed) % 1000 * MS && time.it_interval.tv_sec == (i + seed) / 1000 &&
				       time.it_value.tv_sec > FAR + i - 60 && time.it_value.tv_sec <= FAR + i
			     : !time.it_value.tv_sec && !time.it_value.tv_nsec,
		       "timer %d: %lld s remain, the interval is %lld.%09ld", i, (long long)time.it_value.tv_sec,
		       (long long)time.it_interval.tv_sec, time.it_interval.tv_nsec);
	}
	for (int i = 0; i < 3; i++) {
		timer_t new = timer_new(CLOCK_MONOTONIC, SIGRTMIN + 1, 0, NULL);

		for (int k = 0; k < ALL; k++)
			expect(!is_kept(k) || timer[k] != new, "a new timer has the ID of timer %d", k);
		must(timer_delete(new));
	}
}

static void body(void *arg)
{
	make(100);
	test_child_ready();
	test_wait();
	look(100);
	(void)arg;
}

void test_setup(void)
{
	timers_may_be_refused();
	make(1);
	child = test_child(body, NULL);
}

void test_break(void)
{
	must(timer_delete(timer[ALL - 1]));
}

void test_check(void)
{
	look(1);
	test_join(child);
}
