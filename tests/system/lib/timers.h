/* SPDX-License-Identifier: MIT */
/* What the tests of POSIX timers share. */
#ifndef TIMERS_H
#define TIMERS_H

#include "testlib.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define MS INT64_C(1000000)

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	must(clock_gettime(clock, &t));
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline struct timespec from_ns(int64_t t)
{
	return (struct timespec){t / 1000000000, t % 1000000000};
}

/* For it an image takes what the kernel may not tell. */
static inline void timers_may_be_refused(void)
{
	test_may_be_refused("this kernel does not tell what kind of timer (CONFIG_CHECKPOINT_RESTORE)");
}

/* Which signal, to which thread (0: the process), with which value.  Signal 0: none. */
static inline timer_t timer_new(clockid_t clock, int signal, pid_t tid, void *value)
{
	struct sigevent event = {
		.sigev_notify = !signal ? SIGEV_NONE : tid ? SIGEV_THREAD_ID : SIGEV_SIGNAL,
		.sigev_signo = signal,
		.sigev_value.sival_ptr = value,
	};
	timer_t timer;

	if (tid)
		event.sigev_notify_thread_id = tid;
	must(timer_create(clock, &event, &timer));
	return timer;
}

static inline void timer_start(timer_t timer, int64_t value, int64_t interval, int flags)
{
	const struct itimerspec time = {.it_value = from_ns(value), .it_interval = from_ns(interval)};

	must(timer_settime(timer, flags, &time, NULL));
}

static inline int64_t timer_remains(timer_t timer)
{
	struct itimerspec time;

	must(timer_gettime(timer, &time));
	return time.it_value.tv_sec * INT64_C(1000000000) + time.it_value.tv_nsec;
}

/* The kernel's number of it, as siginfo has it. */
static inline int timer_number(timer_t timer)
{
	return (int)(intptr_t)timer;
}

static inline void block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Takes one of those that are blocked; false: there is none. */
static inline bool take_signal(int signal, siginfo_t *info)
{
	const struct timespec at_once = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	return sigtimedwait(&set, info, &at_once) == signal;
}

static inline bool clocks_go_on(void)
{
	return access("/proc/self/ns/time", F_OK) == 0;
}

#endif
