/* SPDX-License-Identifier: MIT */
/*
 * nanosleep and clock_nanosleep in all their forms go on sleeping: never EINTR, never early, and where the kernel told
 * what remained (rmtp), not much longer either.
 */
#include "waiter.h"

#include <time.h>
#include <unistd.h>

enum { SLEEP_MS = 250 };

static const struct timespec duration = {0, SLEEP_MS * 1000000L};
static int64_t standstill_ns; /* how long the whole process was away, as seen by the main thread */

static long separate_rmtp(struct waiter *self)
{
	struct timespec remaining = {12, 34};

	(void)self;
	return nanosleep(&duration, &remaining);
}

static long same_rmtp(struct waiter *self)
{
	struct timespec time = duration;

	(void)self;
	return nanosleep(&time, &time);
}

static long no_rmtp(struct waiter *self)
{
	(void)self;
	return nanosleep(&duration, NULL);
}

static long relative_realtime(struct waiter *self)
{
	struct timespec remaining;

	(void)self;
	return clock_nanosleep(CLOCK_REALTIME, 0, &duration, &remaining);
}

static long relative_boottime(struct waiter *self)
{
	struct timespec remaining;

	(void)self;
	return clock_nanosleep(CLOCK_BOOTTIME, 0, &duration, &remaining);
}

static long absolute(struct waiter *self)
{
	struct timespec until;
	int error;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += SLEEP_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	self->started = until.tv_sec * INT64_C(1000000000) + until.tv_nsec - SLEEP_MS * INT64_C(1000000);
	return error;
}

static long second_of_sleep(struct waiter *self)
{
	(void)self;
	return usleep(SLEEP_MS * 1000);
}

static struct waiter waiters[] = {
	{.name = "nanosleep, rmtp elsewhere", .call = separate_rmtp},
	{.name = "nanosleep, rmtp = rqtp", .call = same_rmtp},
	{.name = "clock_nanosleep CLOCK_REALTIME", .call = relative_realtime},
	{.name = "clock_nanosleep CLOCK_BOOTTIME", .call = relative_boottime},
	{.name = "clock_nanosleep TIMER_ABSTIME", .call = absolute},
	{.name = "nanosleep, no rmtp", .call = no_rmtp},
	{.name = "usleep", .call = second_of_sleep},
};

enum { COUNT = sizeof waiters / sizeof *waiters, WITH_REMAINDER = 5 };

void test_setup(void)
{
	for (int i = 0; i < COUNT; i++)
		waiter_start(&waiters[i]);
}

/* One round of a wait; what it took beyond its 5 ms is added up: so long all stood still, or the machine was busy. */
static void pass_time(void)
{
	int64_t before = test_now_ns();

	test_nap(5);
	if (test_now_ns() - before > 10000000)
		standstill_ns += test_now_ns() - before;
}

void test_hold(void)
{
	while (!test_may_go())
		pass_time();
}

void test_break(void)
{
	/* As if the call had begun later than it did: an early return looks the same. */
	waiters[1].started += 30000000;
	while (!waiters[1].done)
		test_nap(5);
	waiters[1].started += 30000000;
}

void test_check(void)
{
	for (int i = 0; i < COUNT; i++) {
		for (int rounds = 0; !waiters[i].done && rounds < 1000; rounds++)
			pass_time();
		waiter_expect(&waiters[i], 0, 0);
		waiter_expect_lasted(&waiters[i], SLEEP_MS * INT64_C(1000000));
	}
	for (int i = 0; i < WITH_REMAINDER; i++) {
		int64_t awake = waiters[i].ended - waiters[i].started - standstill_ns;

		/* Generous: the machine is busy; a wait that began anew after a restore is still told apart. */
		expect(awake < (SLEEP_MS + 150) * INT64_C(1000000), "%s: slept %lld ms without the standstill of %lld",
		       waiters[i].name, (long long)awake / 1000000, (long long)standstill_ns / 1000000);
	}
}
