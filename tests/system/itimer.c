/* SPDX-License-Identifier: MIT */
/* Interval timers run on: the remaining time and the interval of each kind; one fires after the restore. */
#include "testlib.h"

#include <signal.h>
#include <sys/time.h>

static const struct itimerval before[3] = {
	[ITIMER_REAL] = {{7, 500}, {0, 300000}},
	[ITIMER_VIRTUAL] = {{8, 600}, {500, 0}},
	[ITIMER_PROF] = {{9, 700}, {600, 0}},
};
static int64_t armed;
static volatile int64_t fired;

static void handler(int number)
{
	(void)number;
	if (!fired)
		fired = test_now_ns();
}

void test_setup(void)
{
	signal(SIGALRM, handler);
	armed = test_now_ns();
	for (int i = 0; i < 3; i++)
		must(setitimer(i, &before[i], NULL));
}

void test_break(void)
{
	struct itimerval none = {{0, 0}, {0, 0}};

	must(setitimer(ITIMER_PROF, &none, NULL));
}

void test_check(void)
{
	while (!fired && test_now_ns() - armed < INT64_C(5000000000))
		test_nap(5);
	for (int i = 0; i < 3; i++) {
		struct itimerval now;

		must(getitimer(i, &now));
		/* The kernel counts processor time in ticks, and adds up to two of them. */
		expect(now.it_interval.tv_sec == before[i].it_interval.tv_sec &&
			       now.it_interval.tv_usec >= before[i].it_interval.tv_usec &&
			       now.it_interval.tv_usec <= before[i].it_interval.tv_usec + 20000,
		       "timer %d: the interval is %lld.%06ld", i, (long long)now.it_interval.tv_sec, (long)now.it_interval.tv_usec);
		expect(i == ITIMER_REAL || (now.it_value.tv_sec <= before[i].it_value.tv_sec + 1 &&
					    now.it_value.tv_sec >= before[i].it_value.tv_sec - 5),
		       "timer %d: %lld s remain", i, (long long)now.it_value.tv_sec);
	}
	expect(fired, "ITIMER_REAL never fired");
	expect(fired - armed >= 299000000, "ITIMER_REAL fired after %lld us", (long long)(fired - armed) / 1000);
}
