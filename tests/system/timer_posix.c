/* SPDX-License-Identifier: MIT */
/*
 * POSIX timers run on: a periodic one ends as often as the clock says, not more and not less, and its signals carry what they
 * carried; others end when their time has come; each that is far away has as much left as before.
 *
 * modes: once cycles leave away advance
 */
#include "timers.h"

#include <stdlib.h>

enum { PERIOD = 40, ONCE = 3000, FAR = 100000, ABSOLUTE = 90000, SLACK = 1500, STANDSTILL = 300 };

static const struct far_away {
	clockid_t clock;
	int signal;
} kinds[] = {{CLOCK_REALTIME, SIGUSR1}, {CLOCK_MONOTONIC, 0}, {CLOCK_BOOTTIME, SIGUSR2}, {CLOCK_TAI, SIGUSR2}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static timer_t tick, once, far_away[KINDS], absolute, idle;
static int64_t started, deadline, armed[KINDS];
static volatile int64_t last, gap, once_at;
static volatile long ticks;
static const char *volatile wrong;
static char value;

static void on_tick(int number, siginfo_t *info, void *context)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	(void)number, (void)context;
	if (info->si_code != SI_TIMER || info->si_timerid != timer_number(tick) || info->si_value.sival_ptr != &value)
		wrong = "a signal has lost what it carried";
	if (now - last > STANDSTILL * MS)
		gap += now - last;
	last = now;
	ticks += 1 + info->si_overrun;
}

static void on_once(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	if (once_at)
		wrong = "a timer has ended twice";
	once_at = clock_ns(CLOCK_BOOTTIME);
}

void test_setup(void)
{
	/* SA_NODEFER, so that the mask seen from outside is the same in the handler */
	struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER};

	timers_may_be_refused();
	must(sigaction(SIGRTMIN + 1, &action, NULL));
	action.sa_sigaction = on_once;
	must(sigaction(SIGALRM, &action, NULL));
	idle = timer_new(CLOCK_MONOTONIC, SIGRTMIN + 3, 0, NULL);
	tick = timer_new(CLOCK_MONOTONIC, SIGRTMIN + 1, 0, &value);
	once = timer_new(CLOCK_BOOTTIME, SIGALRM, 0, NULL);
	for (int i = 0; i < KINDS; i++)
		far_away[i] = timer_new(kinds[i].clock, kinds[i].signal, 0, NULL);
	absolute = timer_new(CLOCK_MONOTONIC, SIGUSR2, 0, NULL);
	started = last = clock_ns(CLOCK_MONOTONIC);
	timer_start(absolute, started + ABSOLUTE * MS, 0, TIMER_ABSTIME);
	deadline = clock_ns(CLOCK_BOOTTIME) + ONCE * MS;
	timer_start(once, deadline, 0, TIMER_ABSTIME);
	for (int i = 0; i < KINDS; i++) {
		armed[i] = clock_ns(CLOCK_MONOTONIC);
		timer_start(far_away[i], (FAR + i) * MS, (FAR + 10 * i) * MS, 0);
	}
	timer_start(tick, PERIOD * MS, PERIOD * MS, 0);
}

void test_break(void)
{
	timer_start(tick, 0, 0, 0);
	timer_start(absolute, ABSOLUTE * MS, 0, 0);
}

void test_check(void)
{
	const int64_t most = (ONCE + 20000) * MS;
	const bool advance = access(test_path("advance"), F_OK) == 0;
	int64_t elapsed, left;
	long count, expected, seen = ticks;

	for (int i = 0; i < 2000 && ticks < seen + 5; i++)
		test_nap(5);
	while (!once_at && clock_ns(CLOCK_MONOTONIC) - started < most)
		test_nap(5);
	elapsed = clock_ns(CLOCK_MONOTONIC) - started;
	count = ticks;
	expect(!wrong, "%s", wrong);
	expected = (long)(elapsed / (PERIOD * MS));
	test_log("%ld ticks in %lld ms, gaps of %lld ms\n", count, (long long)(elapsed / MS), (long long)(gap / MS));
	expect(count <= expected + 1, "%ld ticks in %lld ms: too many", count, (long long)(elapsed / MS));
	if (advance || !clocks_go_on())
		expected -= (long)(gap / (PERIOD * MS));
	if (!clocks_go_on()) /* short gaps are not noticed */
		expected -= STANDSTILL / PERIOD;
	expect(count >= expected - 2, "%ld ticks in %lld ms: too few", count, (long long)(elapsed / MS));

	/* one that ends in the midst of a save ends then */
	expect(once_at, "a timer of CLOCK_BOOTTIME never ended");
	expect(advance || !clocks_go_on() || once_at >= deadline, "a timer of CLOCK_BOOTTIME has ended %lld us early",
	       (long long)(deadline - once_at) / 1000);
	left = timer_remains(absolute);
	elapsed = clock_ns(CLOCK_MONOTONIC) - started;
	expect(advance || !clocks_go_on() || llabs(left + elapsed - ABSOLUTE * MS) < 50 * MS,
	       "until a moment that is %lld ms away %lld ms remain", (long long)(ABSOLUTE - elapsed / MS), (long long)(left / MS));
	for (int i = 0; i < KINDS; i++) {
		struct itimerspec now;

		must(timer_gettime(far_away[i], &now));
		left = timer_remains(far_away[i]) + clock_ns(CLOCK_MONOTONIC) - armed[i];
		expect(now.it_interval.tv_sec == (FAR + 10 * i) / 1000 && now.it_interval.tv_nsec == (FAR + 10 * i) % 1000 * MS,
		       "clock %d: another interval", kinds[i].clock);
		expect(left >= (FAR + i - SLACK) * MS && left <= (FAR + i + SLACK) * MS + gap, "clock %d: %lld ms too much remain",
		       kinds[i].clock, (long long)(left / MS - FAR - i));
	}
	expect(!timer_remains(idle) && !timer_remains(once), "a timer runs that should not");
}
