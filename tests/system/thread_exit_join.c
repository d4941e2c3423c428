/* SPDX-License-Identifier: MIT */
/* Threads that end after the restore: pthread_join returns (clear_child_tid), for one waiting in it already as well. */
#include "waiter.h"

enum { THREADS = 8 };

static pthread_t thread[THREADS];
static volatile int ready, detached_done;

static void *body(void *arg)
{
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	test_nap(2 * (intptr_t)arg);
	return (void *)((intptr_t)arg + (test_breaking() ? 1 : 0));
}

static void *detached(void *arg)
{
	pthread_detach(pthread_self());
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	detached_done = 1;
	return arg;
}

static long join_last(struct waiter *self)
{
	void *result;
	int error = pthread_join(thread[THREADS - 1], &result);

	(void)self;
	return error ? -1 : (intptr_t)result;
}

static struct waiter joiner = {.name = "pthread_join", .call = join_last};

void test_setup(void)
{
	for (intptr_t i = 0; i < THREADS; i++)
		thread[i] = test_thread(body, (void *)i);
	test_thread(detached, NULL);
	while (ready < THREADS + 1)
		test_nap(1);
	waiter_start(&joiner);
}

void test_break(void)
{
}

void test_check(void)
{
	for (intptr_t i = 0; i < THREADS - 1; i++) {
		void *result;

		expect(pthread_join(thread[i], &result) == 0 && result == (void *)i, "thread %ld: result %p", (long)i, result);
	}
	waiter_expect(&joiner, THREADS - 1, 0);
	while (!detached_done)
		test_nap(1);
	/* New threads can still be made. */
	thread[0] = test_thread(body, NULL);
	expect(pthread_join(thread[0], NULL) == 0, "a new thread cannot be joined");
}
