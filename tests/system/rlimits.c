/* SPDX-License-Identifier: MIT */
/*
 * Resource limits: soft and hard ones lowered, a child keeping higher hard limits than its parent has later; more signals, or
 * timers, which count among them, than may be had by now.
 *
 * arguments: alone signals timers
 */
#include "timers.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { LIMITS = 16, SIGNALS = 30, TIMERS = 30 };

static struct rlimit before[LIMITS];
static pid_t child;
static int signals;

static void expect_same(const char *who, const struct rlimit *limits)
{
	for (int i = 0; i < LIMITS; i++) {
		struct rlimit now;

		must(getrlimit(i, &now));
		expect(now.rlim_cur == limits[i].rlim_cur && now.rlim_max == limits[i].rlim_max,
		       "%s: limit %d was %llu/%llu and is %llu/%llu", who, i, (unsigned long long)limits[i].rlim_cur,
		       (unsigned long long)limits[i].rlim_max, (unsigned long long)now.rlim_cur,
		       (unsigned long long)now.rlim_max);
	}
}

static void take(struct rlimit *limits)
{
	for (int i = 0; i < LIMITS; i++)
		must(getrlimit(i, &limits[i]));
}

static void lower(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limit;

	must(getrlimit(resource, &limit));
	if (hard < limit.rlim_max)
		limit.rlim_max = hard;
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	must(setrlimit(resource, &limit));
}

static void take_timers(void)
{
	for (int i = 0; i < TIMERS; i++)
		timer_new(CLOCK_MONOTONIC, SIGRTMIN, 0, NULL);
}

/* For the main thread alone. */
static void take_signals(void)
{
	siginfo_t info = { .si_signo = SIGRTMIN, .si_code = SI_QUEUE };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	must(sigprocmask(SIG_BLOCK, &blocked, NULL));
	for (signals = 0; signals < SIGNALS; signals++)
		must(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGRTMIN, &info));
}

static void expect_signals(void)
{
	const struct timespec none = { 0, 0 };
	sigset_t blocked;
	int n = 0;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	while (sigtimedwait(&blocked, NULL, &none) > 0)
		n++;
	expect(n == signals, "%d of %d signals were pending", n, signals);
}

static void body(void *arg)
{
	struct rlimit own[LIMITS];

	(void)arg;
	lower(RLIMIT_NOFILE, 77, RLIM_INFINITY);
	take(own);
	test_child_ready();
	test_wait();
	expect_same("child", own);
}

void test_setup(void)
{
	child = test_child(body, NULL);
	const bool alone = !strcmp(test_argument(), "alone");

	if (!alone)	/* where the kernel does not tell, one more would have to be had */
		test_may_be_refused("whether it has POSIX timers cannot be told (CONFIG_CHECKPOINT_RESTORE)");
	if (!strcmp(test_argument(), "signals"))
		take_signals();
	if (!strcmp(test_argument(), "timers"))
		take_timers();
	lower(RLIMIT_NOFILE, 50, 100);
	lower(RLIMIT_CORE, 0, 4096);
	lower(RLIMIT_STACK, 4 << 20, RLIM_INFINITY);
	lower(RLIMIT_FSIZE, 1 << 20, 2 << 20);
	lower(RLIMIT_AS, RLIM_INFINITY / 4, RLIM_INFINITY / 2);
	/* all of the user's count, those of other tests, too */
	lower(RLIMIT_SIGPENDING, alone ? 2011 : 11, alone ? 2022 : 22);
	lower(RLIMIT_RTPRIO, 5, 9);
	lower(RLIMIT_CPU, 1000, 2000);
	lower(RLIMIT_NPROC, 500, 501);
	take(before);
}

void test_break(void)
{
	lower(RLIMIT_FSIZE, 1 << 19, 2 << 20);
}

void test_check(void)
{
	expect_same("root", before);
	expect_signals();
	test_join(child);
}
