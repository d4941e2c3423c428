/* SPDX-License-Identifier: MIT */
/*
 * Sleeps that were interrupted before (the whole process was stopped and continued) go on: of most, the kernel then tells no
 * more than that they are gone on with (restart_syscall(2)).
 */
#include "waiter.h"

#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct timespec hour = {3600, 0};
static struct timespec remaining;
static int word;

static long nanosleep_rmtp(struct waiter *self)
{
	(void)self;
	return nanosleep(&hour, &remaining);
}

static long nanosleep_alone(struct waiter *self)
{
	(void)self;
	return nanosleep(&hour, NULL);
}

static long boottime(struct waiter *self)
{
	(void)self;
	return clock_nanosleep(CLOCK_BOOTTIME, 0, &hour, &remaining);
}

static long futex(struct waiter *self)
{
	(void)self;
	return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &hour, NULL, 0);
}

static long polling(struct waiter *self)
{
	(void)self;
	return poll(NULL, 0, 3600 * 1000);
}

static struct waiter waiters[] = {
	{.name = "nanosleep", .call = nanosleep_rmtp}, {.name = "nanosleep, no rmtp", .call = nanosleep_alone},
	{.name = "clock_nanosleep", .call = boottime}, {.name = "futex", .call = futex},
	{.name = "poll", .call = polling},
};
enum { COUNT = sizeof waiters / sizeof *waiters, FUTEX = 3 };

static void stop_and_continue(void)
{
	const pid_t self = getpid(), child = must(fork());

	if (!child) {
		kill(self, SIGSTOP);
		test_nap(20);
		kill(self, SIGCONT);
		_exit(0);
	}
	while (waitpid(child, NULL, 0) < 0)
		;
}

void test_setup(void)
{
	for (int i = 0; i < COUNT; i++)
		waiter_start(&waiters[i]);
	stop_and_continue();
	for (int i = 0; i < COUNT; i++)
		test_await_sleep(waiters[i].tid);
}

void test_break(void)
{
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	while (!waiters[FUTEX].done)
		test_nap(1);
}

void test_check(void)
{
	for (int i = 0; i < COUNT; i++)
		waiter_expect_waiting(&waiters[i]);
}
