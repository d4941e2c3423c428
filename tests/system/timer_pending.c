/* SPDX-License-Identifier: MIT */
/* Signals of timers that have ended are pending, for the process and for a thread, beside others of the same number. */
#include "timers.h"

#include <string.h>

enum { TIMERS = 4 };

static timer_t timer[TIMERS];
static pthread_t thread;
static volatile pid_t thread_tid;

static void expect_timer(int i, int signal)
{
	siginfo_t info;

	expect(take_signal(signal, &info), "signal %d is not pending", signal);
	expect(info.si_code == SI_TIMER && info.si_timerid == timer_number(timer[i]) && info.si_overrun == 0 &&
		       info.si_value.sival_int == 70 + i,
	       "timer %d: code %d, ID %d, overrun %d, value %d", i, info.si_code, info.si_timerid, info.si_overrun,
	       info.si_value.sival_int);
}

static void expect_queued(int value)
{
	siginfo_t info;

	expect(take_signal(SIGRTMIN + 1, &info), "a signal of sigqueue(3) is not pending");
	expect(info.si_code == SI_QUEUE && info.si_value.sival_int == value, "code %d, value %d", info.si_code, info.si_value.sival_int);
}

static void expect_none(void)
{
	siginfo_t info;

	for (int i = 0; i < 3; i++)
		expect(!take_signal(i == 2 ? SIGALRM : SIGRTMIN + 1 + i, &info), "one signal too many");
}

static void *body(void *arg)
{
	thread_tid = gettid();
	test_wait();
	expect_timer(3, SIGRTMIN + 2);
	return arg;
}

void test_setup(void)
{
	static const int signals[TIMERS] = {0, 1, -1, 2};

	timers_may_be_refused();
	for (int i = 0; i < 2; i++)
		block(SIGRTMIN + 1 + i);
	block(SIGALRM);
	thread = test_thread(body, NULL);
	while (!thread_tid)
		test_nap(1);
	timer[0] = timer_new(CLOCK_MONOTONIC, 0, 0, NULL);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 1});
	for (int i = 1; i < TIMERS; i++) {
		timer[i] = timer_new(i == 1 ? CLOCK_REALTIME : CLOCK_MONOTONIC, signals[i] < 0 ? SIGALRM : SIGRTMIN + signals[i],
				     i == 3 ? thread_tid : 0, (void *)(intptr_t)(70 + i));
		timer_start(timer[i], 2 * MS, 0, 0);
	}
	test_nap(30);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 2});
}

void test_break(void)
{
	siginfo_t info;

	take_signal(SIGRTMIN + 1, &info);
}

void test_check(void)
{
	pthread_join(thread, NULL);
	expect_queued(1);
	expect_timer(1, SIGRTMIN + 1);
	expect_queued(2);
	expect_timer(2, SIGALRM);
	expect_none();
	for (int i = 0; i < TIMERS; i++)
		expect(!timer_remains(timer[i]), "timer %d runs", i);
}
