/* SPDX-License-Identifier: MIT */
/* poll, ppoll, select and pselect: with a timeout never early and never EINTR; without one they wait for the pipe. */
#include "waiter.h"

#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <unistd.h>

enum { WAIT_MS = 200 };

static int pipe_ends[2];

static long call_poll(struct waiter *self)
{
	struct pollfd item = {.fd = pipe_ends[0], .events = POLLIN};

	return poll(&item, 1, (intptr_t)self->arg);
}

static long call_ppoll(struct waiter *self)
{
	struct pollfd item = {.fd = pipe_ends[0], .events = POLLIN};
	struct timespec timeout = {0, (intptr_t)self->arg * 1000000L};
	sigset_t mask;

	/* Not with a timeout: when it is over, the mask seen from outside would be another one. */
	sigemptyset(&mask);
	if ((intptr_t)self->arg < 0)
		sigaddset(&mask, SIGUSR1);
	return ppoll(&item, 1, (intptr_t)self->arg < 0 ? NULL : &timeout, &mask);
}

static long call_select(struct waiter *self)
{
	struct timeval timeout = {0, (intptr_t)self->arg * 1000L};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_ends[0], &set);
	return select(pipe_ends[0] + 1, &set, NULL, NULL, (intptr_t)self->arg < 0 ? NULL : &timeout);
}

static long call_pselect(struct waiter *self)
{
	struct timespec timeout = {0, (intptr_t)self->arg * 1000000L};
	sigset_t mask;
	fd_set set;

	sigemptyset(&mask);
	FD_ZERO(&set);
	FD_SET(pipe_ends[0], &set);
	return pselect(pipe_ends[0] + 1, &set, NULL, NULL, (intptr_t)self->arg < 0 ? NULL : &timeout, &mask);
}

static struct waiter timed[] = {
	{.name = "poll", .call = call_poll, .arg = (void *)WAIT_MS},
	{.name = "ppoll", .call = call_ppoll, .arg = (void *)WAIT_MS},
	{.name = "select", .call = call_select, .arg = (void *)WAIT_MS},
	{.name = "pselect", .call = call_pselect, .arg = (void *)WAIT_MS},
};
static struct waiter endless[] = {
	{.name = "poll without end", .call = call_poll, .arg = (void *)-1},
	{.name = "ppoll without end", .call = call_ppoll, .arg = (void *)-1},
	{.name = "select without end", .call = call_select, .arg = (void *)-1},
	{.name = "pselect without end", .call = call_pselect, .arg = (void *)-1},
};

void test_setup(void)
{
	must(pipe(pipe_ends));
	for (int i = 0; i < 4; i++) {
		waiter_start(&endless[i]);
		waiter_start(&timed[i]);
	}
}

void test_break(void)
{
	must(write(pipe_ends[1], "x", 1));
}

void test_check(void)
{
	for (int i = 0; i < 4; i++) {
		waiter_expect(&timed[i], 0, 0);
		waiter_expect_lasted(&timed[i], WAIT_MS * INT64_C(1000000));
		waiter_expect_waiting(&endless[i]);
	}
	must(write(pipe_ends[1], "x", 1));
	for (int i = 0; i < 4; i++)
		waiter_expect(&endless[i], 1, 0);
}
