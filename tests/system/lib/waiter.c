/* SPDX-License-Identifier: MIT */
#include "waiter.h"

#include <time.h>
#include <unistd.h>

static int64_t now_of(const struct waiter *self)
{
	struct timespec now;

	clock_gettime(self->realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void *body(void *arg)
{
	struct waiter *self = arg;

	self->started = now_of(self);
	self->tid = gettid();
	errno = 0;
	self->result = self->call(self);
	self->error = errno;
	self->ended = now_of(self);
	self->done = true;
	/* The set of threads stays the same until the view from outside has been taken again. */
	test_wait();
	return NULL;
}

void waiter_start(struct waiter *self)
{
	self->thread = test_thread(body, self);
	while (!self->tid)
		test_nap(1);
	test_await_sleep(self->tid);
}

void waiter_expect_waiting(struct waiter *self)
{
	/* Long enough for a thread that was wrongly let go to come home. */
	test_nap(5);
	expect(!self->done, "%s: came back with %ld, errno %d, although nothing had happened", self->name, self->result,
	       self->error);
}

void waiter_expect(struct waiter *self, long result, int error)
{
	pthread_join(self->thread, NULL);
	expect(self->result == result && (result != -1 || self->error == error),
	       "%s: returned %ld, errno %d instead of %ld, errno %d, after %lld ms", self->name, self->result, self->error,
	       result, error, (long long)(self->ended - self->started) / 1000000);
}

void waiter_expect_lasted(struct waiter *self, int64_t nanoseconds)
{
	expect(self->ended - self->started >= nanoseconds, "%s: lasted %lld us, should have been at least %lld", self->name,
	       (long long)(self->ended - self->started) / 1000, (long long)nanoseconds / 1000);
}
