/* SPDX-License-Identifier: MIT */
/* Signals of periodic timers that nobody takes: they are pending, once each, and tell how often the timer has ended meanwhile. */
#include "timers.h"

enum { PERIOD = 20, TIMERS = 3 };

/* That of a thread is the main thread's own. */
static struct {
	timer_t timer;
	int signal;
	int64_t started;
} timers[TIMERS];

void test_setup(void)
{
	timers_may_be_refused();
	for (int i = 0; i < TIMERS; i++) {
		timers[i].signal = i ? SIGRTMIN + i : SIGALRM;
		block(timers[i].signal);
		timers[i].timer = timer_new(CLOCK_MONOTONIC, timers[i].signal, i == 2 ? gettid() : 0, &timers[i]);
		timers[i].started = clock_ns(CLOCK_MONOTONIC);
		timer_start(timers[i].timer, PERIOD * MS, PERIOD * MS, 0);
	}
	test_nap(10 * PERIOD);
}

void test_break(void)
{
	siginfo_t info;

	take_signal(SIGRTMIN + 2, &info);
}

void test_check(void)
{
	test_nap(4 * PERIOD);
	for (int i = 0; i < TIMERS; i++) {
		long times = 0, overrun = 0, expected;
		siginfo_t info;

		while (take_signal(timers[i].signal, &info)) {
			expect(info.si_code == SI_TIMER && info.si_timerid == timer_number(timers[i].timer) &&
				       info.si_value.sival_ptr == &timers[i],
			       "signal %d has lost what it carried", timers[i].signal);
			overrun = info.si_overrun;
			times += 1 + overrun;
		}
		expected = (long)((clock_ns(CLOCK_MONOTONIC) - timers[i].started) / (PERIOD * MS));
		test_log("signal %d: %ld times, %ld expected\n", timers[i].signal, times, expected);
		expect(times <= expected + 1, "signal %d: the timer ended %ld times, and not %ld", timers[i].signal, times, expected);
		/* without time namespaces the clock has run on */
		expect(times >= (clocks_go_on() ? expected - 3 : 14), "signal %d: the timer ended %ld times, and not %ld", timers[i].signal,
		       times, expected);
		expect(timer_getoverrun(timers[i].timer) == overrun, "signal %d: timer_getoverrun says %d, and not %ld", timers[i].signal,
		       timer_getoverrun(timers[i].timer), overrun);
		timer_start(timers[i].timer, 0, 0, 0);
	}
}
