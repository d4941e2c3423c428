/* SPDX-License-Identifier: MIT */
/*
 * Timers that measure processor time go on with what remained of it: the process's, the only thread's, or another thread's.
 * arguments: alone threads
 */
#include "timers.h"

#include <string.h>

enum { SHARE = 1500, USED = 100, PERIOD = 150, LESS = 130 /* of it: the processor works for a save, too, and is measured in ticks */ };

static timer_t process, own, periodic;
static volatile int ended[3];
static pthread_t thread;
static volatile pid_t thread_tid;

static void on_end(int number)
{
	ended[number - SIGRTMIN - 1]++;
}

static void use(clockid_t clock, int64_t ms)
{
	int64_t until = clock_ns(clock) + ms * MS;

	while (clock_ns(clock) < until)
		;
}

static void *body(void *arg)
{
	thread_tid = gettid();
	test_wait();
	use(CLOCK_THREAD_CPUTIME_ID, SHARE + USED);
	return arg;
}

void test_setup(void)
{
	clockid_t of = CLOCK_THREAD_CPUTIME_ID;

	timers_may_be_refused();
	for (int i = 0; i < 3; i++)
		signal(SIGRTMIN + 1 + i, on_end);
	if (!strcmp(test_argument(), "threads")) {
		thread = test_thread(body, NULL);
		while (!thread_tid)
			test_nap(1);
		expect(pthread_getcpuclockid(thread, &of) == 0, "pthread_getcpuclockid");
	}
	process = timer_new(CLOCK_PROCESS_CPUTIME_ID, SIGRTMIN + 1, 0, NULL);
	own = timer_new(of, SIGRTMIN + 2, 0, NULL);
	periodic = timer_new(CLOCK_PROCESS_CPUTIME_ID, SIGRTMIN + 3, 0, NULL);
	timer_start(process, 100 * SHARE * MS, 0, 0);
	timer_start(own, SHARE * MS, 0, 0);
	timer_start(periodic, PERIOD * MS, PERIOD * MS, 0);
	use(CLOCK_PROCESS_CPUTIME_ID, USED);
}

void test_break(void)
{
	timer_start(own, 100 * SHARE * MS, 0, 0);
}

void test_check(void)
{
	const bool alone = !thread_tid;
	int64_t left = timer_remains(process);
	int before = ended[2];

	expect(left < (100 * SHARE - USED / 2) * MS && left > (100 * SHARE - USED - 3000) * MS, "%lld ms of the process's time remain",
	       (long long)(left / MS));
	left = alone ? timer_remains(own) : 0;
	expect(!alone || (left > 0 && left < (SHARE - USED / 2) * MS), "%lld ms of the thread's time remain", (long long)(left / MS));
	expect(!alone || !ended[1], "the thread's timer has ended too early");
	if (alone)
		use(CLOCK_THREAD_CPUTIME_ID, SHARE);
	else
		pthread_join(thread, NULL);
	for (int i = 0; alone && i < 500 && !ended[1]; i++)
		use(CLOCK_PROCESS_CPUTIME_ID, 1);
	expect(ended[1] == 1, "the thread's timer has ended %d times", ended[1]);
	expect(ended[2] > before && ended[2] - before <= (SHARE + USED) / (PERIOD - LESS), "the periodic timer has ended %d times",
	       ended[2] - before);
	expect(!ended[0], "the process's timer has ended");
}
