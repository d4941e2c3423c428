/* SPDX-License-Identifier: MIT */
/* sigwaitinfo keeps waiting and then gets its signal; sigtimedwait ends with EAGAIN and not early, never with EINTR. */
#include "waiter.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 200 };

static long wait_for_value(struct waiter *self)
{
	siginfo_t info;
	sigset_t set;

	(void)self;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	int number = sigwaitinfo(&set, &info);

	return number == SIGRTMIN + 3 ? info.si_value.sival_int : number;
}

static long wait_in_vain(struct waiter *self)
{
	struct timespec timeout = {0, WAIT_MS * 1000000L};
	sigset_t set;

	(void)self;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	/* Open beforehand, so that the mask seen from outside is the same in the call and behind it. */
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return sigtimedwait(&set, NULL, &timeout);
}

static void handler(int number)
{
	(void)number;
}

static struct waiter endless = {.name = "sigwaitinfo", .call = wait_for_value};
static struct waiter timed = {.name = "sigtimedwait", .call = wait_in_vain};

void test_setup(void)
{
	sigset_t set;

	signal(SIGRTMIN + 4, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigaddset(&set, SIGRTMIN + 4);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	waiter_start(&endless);
	waiter_start(&timed);
}

void test_break(void)
{
	pthread_kill(timed.thread, SIGRTMIN + 4);
}

void test_check(void)
{
	union sigval value = {.sival_int = 4711};

	waiter_expect(&timed, -1, EAGAIN);
	waiter_expect_lasted(&timed, WAIT_MS * INT64_C(1000000));
	waiter_expect_waiting(&endless);
	sigqueue(getpid(), SIGRTMIN + 3, value);
	waiter_expect(&endless, 4711, 0);
}
