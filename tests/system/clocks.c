/* SPDX-License-Identifier: MIT */
/*
 * The clocks go on where they stopped, or, if DIR/advance is there, count the time that was lost: no clock runs backwards,
 * periodic timers keep their cadence, with no gap and no burst, and each sleep ends when its time has come, and not before.
 * How long the tree was away CLOCK_REALTIME tells.
 *
 * modes: away advance
 */
#include "testlib.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
/* AWAY: at least so long was it; SLACK: on a busy machine so much may come late, and be seen of a standstill; all in ms */
enum { AWAY = 1400, SLACK = 700, SLEEP = 5000, PERIOD = 10 };

#ifdef SYS_clock_gettime64
#define SYS_gettime_call SYS_clock_gettime64
#else
#define SYS_gettime_call SYS_clock_gettime
#endif

static int64_t ns(struct timespec t)
{
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t by_library(clockid_t id)
{
	struct timespec t;

	must(clock_gettime(id, &t));
	return ns(t);
}

static int64_t by_kernel(clockid_t id)
{
	int64_t t[2]; /* of 64 bits, whatever the C library has */

	must(syscall(SYS_gettime_call, id, t));
	return t[0] * INT64_C(1000000000) + t[1];
}

static struct timespec from_ns(int64_t t)
{
	return (struct timespec){t / 1000000000, t % 1000000000};
}

/* A thread that reads the clocks all the time. */

static struct clock {
	const char *name;
	clockid_t id;
	int64_t (*read)(clockid_t id);
	int64_t last, gap, back;
} clocks[] = {
	{.name = "CLOCK_REALTIME", .id = CLOCK_REALTIME, .read = by_library},
	{.name = "CLOCK_MONOTONIC", .id = CLOCK_MONOTONIC, .read = by_library},
	{.name = "CLOCK_BOOTTIME", .id = CLOCK_BOOTTIME, .read = by_library},
	{.name = "CLOCK_MONOTONIC, asked of the kernel", .id = CLOCK_MONOTONIC, .read = by_kernel},
	{.name = "CLOCK_BOOTTIME, asked of the kernel", .id = CLOCK_BOOTTIME, .read = by_kernel},
};
enum { CLOCKS = sizeof clocks / sizeof *clocks, OF_KERNEL = 3 };

static volatile bool stop;

static void *read_clocks(void *arg)
{
	(void)arg;
	while (!stop) {
		for (struct clock *c = clocks; c < clocks + CLOCKS; c++) {
			int64_t now = c->read(c->id), gap = now - c->last;

			if (c->last && gap < -c->back)
				c->back = -gap;
			if (c->last && gap > c->gap)
				c->gap = gap;
			c->last = now;
		}
		test_nap(1);
	}
	test_wait();
	return NULL;
}

/* Sleeps of all kinds, each in a thread of its own. */

static long until_monotonic(void)
{
	const struct timespec t = from_ns(by_library(CLOCK_MONOTONIC) + SLEEP * MS);

	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static long until_boottime(void)
{
	const struct timespec t = from_ns(by_library(CLOCK_BOOTTIME) + SLEEP * MS);

	return clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &t, NULL);
}

static long until_futex(void)
{
	const struct timespec t = from_ns(by_library(CLOCK_MONOTONIC) + SLEEP * MS);
	int word = 0;

	return syscall(SYS_futex_call, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, &t, NULL, ~0) == -1 && errno == ETIMEDOUT ? 0
																	: 1;
}

static long for_a_time(void)
{
	const struct timespec t = from_ns(SLEEP * MS);
	struct timespec rest;

	return nanosleep(&t, &rest);
}

static struct sleeper {
	const char *name;
	clockid_t id;
	long (*call)(void);
	bool relative;
	volatile pid_t tid;
	long result;
	int64_t own, realtime; /* how long it was, by its clock and by that one */
	pthread_t thread;
} sleepers[] = {
	{.name = "clock_nanosleep until, CLOCK_MONOTONIC", .id = CLOCK_MONOTONIC, .call = until_monotonic},
	{.name = "clock_nanosleep until, CLOCK_BOOTTIME", .id = CLOCK_BOOTTIME, .call = until_boottime},
	{.name = "FUTEX_WAIT_BITSET until, CLOCK_MONOTONIC", .id = CLOCK_MONOTONIC, .call = until_futex},
	{.name = "nanosleep", .id = CLOCK_MONOTONIC, .call = for_a_time, .relative = true},
};
enum { SLEEPERS = sizeof sleepers / sizeof *sleepers };

static void *sleep_once(void *arg)
{
	struct sleeper *self = arg;
	int64_t own = by_library(self->id), realtime = by_library(CLOCK_REALTIME);

	self->tid = gettid();
	self->result = self->call();
	self->own = by_library(self->id) - own;
	self->realtime = by_library(CLOCK_REALTIME) - realtime;
	test_wait();
	return NULL;
}

/* Two kinds of cadence: a signal of the kernel's timer, and a loop that sleeps from one moment to the next. */

static struct cadence {
	const char *name;
	int64_t last, count, gap;
} ticks = {.name = "setitimer"}, rounds = {.name = "a loop of clock_nanosleep"};
static int64_t started;

static void beat(struct cadence *c)
{
	int64_t now = by_library(CLOCK_MONOTONIC);

	if (c->last && now - c->last > c->gap)
		c->gap = now - c->last;
	c->last = now;
	c->count++;
}

static void on_alarm(int number)
{
	(void)number;
	if (!stop)
		beat(&ticks);
}

static void *go_round(void *arg)
{
	int64_t next = by_library(CLOCK_MONOTONIC);

	(void)arg;
	while (!stop) {
		const struct timespec t = from_ns(next += PERIOD * MS);

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
			;
		beat(&rounds);
	}
	test_wait();
	return NULL;
}

static pthread_t reader, rounder;

void test_setup(void)
{
	const struct itimerval period = {{0, PERIOD * 1000}, {0, PERIOD * 1000}};
	const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	started = by_library(CLOCK_MONOTONIC);
	for (struct sleeper *s = sleepers; s < sleepers + SLEEPERS; s++) {
		s->thread = test_thread(sleep_once, s);
		while (!s->tid)
			test_nap(1);
		test_await_sleep(s->tid);
	}
	reader = test_thread(read_clocks, NULL);
	rounder = test_thread(go_round, NULL);
	must(sigaction(SIGALRM, &action, NULL));
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	must(setitimer(ITIMER_REAL, &period, NULL));
}

void test_break(void)
{
	clocks[1].last += 60000 * MS;
	sleepers[0].realtime = 0;
}

static void check_cadence(const struct cadence *c, int64_t elapsed, int64_t gap, int64_t slack)
{
	expect(c->count <= elapsed / (PERIOD * MS) + 5, "%s: %lld beats in %lld ms: a burst", c->name, (long long)c->count,
	       (long long)(elapsed / MS));
	expect(c->count >= (elapsed - gap) / (PERIOD * MS) / 4, "%s: %lld beats in %lld ms: too few", c->name, (long long)c->count,
	       (long long)(elapsed / MS));
	expect(c->gap <= gap + slack, "%s: a gap of %lld ms", c->name, (long long)(c->gap / MS));
}

void test_check(void)
{
	const bool advance = access(test_path("advance"), F_OK) == 0, away = access(test_path("freeze"), F_OK) == 0;
	const bool namespaces = access("/proc/self/ns/time", F_OK) == 0 && !getenv("NO_TIME_NAMESPACES");
	int64_t gap, elapsed, slack;

	for (struct sleeper *s = sleepers; s < sleepers + SLEEPERS; s++)
		pthread_join(s->thread, NULL);
	stop = true;
	pthread_join(reader, NULL);
	pthread_join(rounder, NULL);
	elapsed = by_library(CLOCK_MONOTONIC) - started;
	gap = clocks[0].gap;
	/* an emulated machine takes long to save and to restore; what lies between them is never to be seen */
	slack = (advance || away) && gap - AWAY * MS > SLACK * MS ? gap - AWAY * MS : SLACK * MS;

	expect(gap >= (advance || away ? AWAY * MS : 0), "the tree was away for %lld ms only", (long long)(gap / MS));
	for (struct clock *c = clocks; c < clocks + CLOCKS; c++) {
		/* without namespaces what the C library reads may be put right, and what the kernel says cannot */
		const bool frozen = away && c->id != CLOCK_REALTIME && namespaces, free = away && !namespaces && c < clocks + OF_KERNEL;

		test_log("%s: the largest step was %lld ms\n", c->name, (long long)(c->gap / MS));
		expect(!c->back, "%s went back by %lld ms", c->name, (long long)(c->back / MS));
		expect(!frozen || c->gap <= slack, "%s jumped by %lld ms", c->name, (long long)(c->gap / MS));
		expect(frozen || free || llabs(c->gap - gap) <= slack, "%s jumped by %lld ms, and not by %lld", c->name,
		       (long long)(c->gap / MS), (long long)(gap / MS));
	}
	for (struct sleeper *s = sleepers; s < sleepers + SLEEPERS; s++) {
		const int64_t more = away || (advance && s->relative) ? gap : 0;
		/* a slow machine is away until all has ended that does not wait for it */
		const int64_t most = slack > SLACK * MS ? gap : more;

		expect(!s->result, "%s: %ld", s->name, s->result);
		expect(s->realtime >= SLEEP * MS + more - slack, "%s: it ended after %lld ms, too early by %lld", s->name,
		       (long long)(s->realtime / MS), (long long)((SLEEP * MS + more - s->realtime) / MS));
		expect(s->realtime <= SLEEP * MS + most + slack, "%s: it ended after %lld ms, too late by %lld", s->name,
		       (long long)(s->realtime / MS), (long long)((s->realtime - SLEEP * MS - most) / MS));
		expect(!namespaces || s->own >= SLEEP * MS, "%s: by the tree's own clock it ended after %lld us", s->name,
		       (long long)(s->own / 1000));
	}
	check_cadence(&ticks, elapsed, clocks[1].gap, slack);
	check_cadence(&rounds, elapsed, clocks[1].gap, slack);
}
