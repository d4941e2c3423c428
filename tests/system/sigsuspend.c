/* SPDX-License-Identifier: MIT */
/* A thread in sigsuspend keeps waiting with the temporary mask, and comes back with its own mask in place. */
#include "waiter.h"

#include <signal.h>

static volatile int usr1, usr2;

static void count(int number)
{
	if (number == SIGUSR1)
		usr1++;
	else
		usr2++;
}

static long call(struct waiter *self)
{
	sigset_t mask, now;

	(void)self;
	/* Outside: only SIGUSR2 is blocked. Inside: only SIGUSR1 is. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	long result = sigsuspend(&mask);
	int error = errno;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	if (!sigismember(&now, SIGUSR2) || sigismember(&now, SIGUSR1))
		return -2;
	errno = error;
	return result;
}

static struct waiter waiter = {.name = "sigsuspend", .call = call};

void test_setup(void)
{
	sigset_t both;

	signal(SIGUSR1, count);
	signal(SIGUSR2, count);
	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &both, NULL);
	waiter_start(&waiter);
}

void test_break(void)
{
	pthread_kill(waiter.thread, SIGUSR2);
}

void test_check(void)
{
	waiter_expect_waiting(&waiter);
	pthread_kill(waiter.thread, SIGUSR1);
	waiter_expect_waiting(&waiter);
	expect(usr1 == 0, "SIGUSR1 came through the temporary mask");
	pthread_kill(waiter.thread, SIGUSR2);
	waiter_expect(&waiter, -1, EINTR);
	expect(usr2 == 1 && usr1 == 1, "handlers ran %d and %d times instead of once each", usr1, usr2);
}
