/* SPDX-License-Identifier: MIT */
/* A thread in pause stays there until a signal comes. */
#include "waiter.h"

#include <signal.h>
#include <unistd.h>

static volatile int handled;

static void handler(int number)
{
	(void)number;
	handled++;
}

static long call(struct waiter *self)
{
	(void)self;
	return pause();
}

static struct waiter waiter = {.name = "pause", .call = call};

void test_setup(void)
{
	signal(SIGUSR1, handler);
	waiter_start(&waiter);
}

void test_break(void)
{
	pthread_kill(waiter.thread, SIGUSR1);
}

void test_check(void)
{
	waiter_expect_waiting(&waiter);
	pthread_kill(waiter.thread, SIGUSR1);
	waiter_expect(&waiter, -1, EINTR);
	expect(handled == 1, "the handler ran %d times", handled);
}
