/* SPDX-License-Identifier: MIT */
/*
 * Timers with a descriptor run on, whoever shares it: a periodic one ends as often as the clock says; one that has ended says so;
 * each that is far away has as much left as before, by the clock that it was set by; none ends before its time.
 *
 * modes: once cycles leave away advance
 */
#include "timers.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>

enum { PERIOD = 40, FAR = 100000, SLACK = 1500, QUICK = 100000 };	/* ms; QUICK: ns */

static int quick, tick, ended, unset, waited, other_tick, wall, absolute, shared;
static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
enum { CLOCKS = sizeof clocks / sizeof *clocks };
static int far_away[CLOCKS];
static int64_t started, real_started, wall_time, gap;
static pid_t child;
static pthread_t thread;
static pthread_t watcher;
static volatile int64_t woken, early, behind;
static int64_t quick_started;

static void start(int fd, int64_t value, int64_t interval, int flags)
{
	const struct itimerspec time = {.it_value = from_ns(value), .it_interval = from_ns(interval)};

	must(timerfd_settime(fd, flags, &time, NULL));
}

static int64_t remains(int fd)
{
	struct itimerspec time;

	must(timerfd_gettime(fd, &time));
	return time.it_value.tv_sec * INT64_C(1000000000) + time.it_value.tv_nsec;
}

/* 0: it has not ended since. */
static uint64_t ticks(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof n) == sizeof n ? n : 0;
}

/* Sits in read(2). */
static void *wait_for_it(void *arg)
{
	uint64_t n;

	must(read(waited, &n, sizeof n));
	woken = clock_ns(CLOCK_MONOTONIC);
	test_wait();
	return arg;
}

/* Looks again and again whether a quick one has ended more often than there was time for. */
static void *watch(void *arg)
{
	for (int64_t n = 0; !test_may_go(); test_nap(1)) {
		int64_t time;

		n += (int64_t)ticks(quick);
		time = clock_ns(CLOCK_MONOTONIC) - quick_started;
		behind = time - n * QUICK;
		if (-behind > early)
			early = -behind;
	}
	return arg;
}

static void body(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
	/* what one reads the other does not */
	start(shared, 77000 * MS, 0, 0);
}

void test_setup(void)
{
	tick = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	ended = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	unset = must(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK));
	waited = must(timerfd_create(CLOCK_MONOTONIC, 0));
	other_tick = must(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	wall = must(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
	absolute = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	shared = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	child = test_child(body, NULL);
	wall_time = clock_ns(CLOCK_REALTIME) + FAR * MS;
	start(wall, wall_time, 0, TFD_TIMER_ABSTIME);
	start(ended, 1 * MS, 0, 0);
	real_started = clock_ns(CLOCK_REALTIME);
	started = clock_ns(CLOCK_MONOTONIC);
	start(absolute, started + FAR * MS, 0, TFD_TIMER_ABSTIME);
	start(waited, 2500 * MS, 0, 0);
	for (int i = 0; i < CLOCKS; i++) {
		far_away[i] = must(timerfd_create(clocks[i], TFD_NONBLOCK));
		start(far_away[i], (FAR + i) * MS, (FAR + 10 * i) * MS, 0);
	}
	quick = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	quick_started = clock_ns(CLOCK_MONOTONIC);
	start(quick, QUICK, QUICK, 0);
	watcher = test_thread(watch, NULL);
	start(tick, PERIOD * MS, PERIOD * MS, 0);
	start(other_tick, PERIOD * MS, PERIOD * MS, 0);
	thread = test_thread(wait_for_it, NULL);
	test_nap(5 * PERIOD);
}

void test_break(void)
{
	ticks(ended);
	start(wall, FAR * MS / 2, 0, 0);
}

void test_check(void)
{
	const bool advance = access(test_path("advance"), F_OK) == 0;
	int64_t elapsed, left;
	uint64_t count, expected;

	pthread_join(watcher, NULL);
	expect(early <= QUICK, "a quick one ended %lld us before its time", (long long)(early / 1000));
	expect(!clocks_go_on() || advance || behind < 500 * MS, "a quick one is %lld ms behind", (long long)(behind / MS));
	expect(ticks(ended) == 1 && !ticks(ended), "one that has ended does not say so, once");
	expect(!remains(ended) && !remains(unset) && !ticks(unset), "a timer runs that should not");
	pthread_join(thread, NULL);
	elapsed = woken - started;
	expect(!clocks_go_on() || elapsed >= 2500 * MS, "read(2) came back after %lld ms", (long long)(elapsed / MS));
	test_join(child);
	left = remains(shared);
	expect(left > 70000 * MS && left <= 77000 * MS, "what the child set is another timer");

	/* how long it was away, if that is to be seen */
	elapsed = clock_ns(CLOCK_MONOTONIC) - started;
	gap = clock_ns(CLOCK_REALTIME) - real_started - elapsed;
	count = ticks(tick);
	expected = (uint64_t)(clock_ns(CLOCK_MONOTONIC) - started) / (PERIOD * MS);
	test_log("%llu ticks, %llu expected, %lld ms away\n", (unsigned long long)count, (unsigned long long)expected, (long long)(gap / MS));
	expect(count <= expected + 1, "%llu ticks in the time of %llu", (unsigned long long)count, (unsigned long long)expected);
	expect(advance || !clocks_go_on() || count + 3 >= expected, "%llu ticks in the time of %llu", (unsigned long long)count,
	       (unsigned long long)expected);
	count = ticks(other_tick);
	expect(count <= expected + 1 && count >= 5, "CLOCK_REALTIME: %llu ticks in the time of %llu", (unsigned long long)count,
	       (unsigned long long)expected);

	left = remains(wall) - (wall_time - clock_ns(CLOCK_REALTIME));
	expect(llabs(left) < 50 * MS, "until a time of day %lld ms too much remain", (long long)(left / MS));
	left = remains(absolute) - (started + FAR * MS - clock_ns(CLOCK_MONOTONIC));
	expect(advance || !clocks_go_on() || llabs(left) < 100 * MS, "until a moment %lld ms too much remain", (long long)(left / MS));
	for (int i = 0; i < CLOCKS; i++) {
		struct itimerspec now;

		must(timerfd_gettime(far_away[i], &now));
		expect(now.it_interval.tv_sec == (FAR + 10 * i) / 1000 && now.it_interval.tv_nsec == (FAR + 10 * i) % 1000 * MS,
		       "clock %d: another interval", clocks[i]);
		left = remains(far_away[i]) + clock_ns(CLOCK_REALTIME) - real_started;
		expect(left >= (FAR + i - SLACK) * MS, "clock %d: %lld ms too little remain", clocks[i], (long long)(FAR + i - left / MS));
		left = remains(far_away[i]) + elapsed;
		expect(!clocks_go_on() || advance || left <= (FAR + i + SLACK) * MS, "clock %d: %lld ms too much remain", clocks[i],
		       (long long)(left / MS - FAR - i));
	}
	expect(fcntl(tick, F_GETFL) & O_NONBLOCK && !(fcntl(waited, F_GETFL) & O_NONBLOCK), "O_NONBLOCK is another");
	expect(fcntl(ended, F_GETFD) == FD_CLOEXEC && fcntl(tick, F_GETFD) == 0, "FD_CLOEXEC is another");
}
