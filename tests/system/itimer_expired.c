/* SPDX-License-Identifier: MIT */
/*
 * An interval timer has run out and its SIGALRM is still pending: the kernel starts the next interval only when the signal
 * is taken, and shows a remaining time of zero until then. That is not a timer that was switched off.
 */
#include "testlib.h"

#include <signal.h>
#include <sys/time.h>

static volatile int fired;

static void handler(int number)
{
	(void)number;
	fired++;
}

static sigset_t alarm_only(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	return set;
}

void test_setup(void)
{
	struct itimerval time = {{0, 15000}, {0, 1000}};
	sigset_t set = alarm_only(), pending;

	signal(SIGALRM, handler);
	sigprocmask(SIG_BLOCK, &set, NULL);
	must(setitimer(ITIMER_REAL, &time, NULL));
	do {
		test_nap(1);
		sigpending(&pending);
	} while (!sigismember(&pending, SIGALRM));
}

void test_break(void)
{
	struct itimerval none = {{0, 0}, {0, 0}};

	must(setitimer(ITIMER_REAL, &none, NULL));
}

void test_check(void)
{
	struct itimerval now;
	sigset_t set = alarm_only(), pending;

	must(getitimer(ITIMER_REAL, &now));
	expect(now.it_interval.tv_usec == 15000, "the interval is %ld us", (long)now.it_interval.tv_usec);
	sigpending(&pending);
	expect(sigismember(&pending, SIGALRM), "SIGALRM is not pending any more");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (int i = 0; i < 400 && fired < 4; i++)
		test_nap(2);
	expect(fired >= 4, "the timer does not go on: it fired %d times", fired);
}
