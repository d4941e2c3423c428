/* SPDX-License-Identifier: MIT */
/* Fifty threads keep their IDs, names, stacks and thread-local variables. */
#include "testlib.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { THREADS = 50 };

static __thread int own_number;
static struct {
	pid_t tid;
	pthread_t thread;
} known[THREADS];
static volatile int ready;

static void *thread_body(void *arg)
{
	int number = (intptr_t)arg;
	char name[16], now[16], filler[2000];

	own_number = number;
	snprintf(name, sizeof name, "thread-%d", number);
	prctl(PR_SET_NAME, name);
	fill_pattern(filler, sizeof filler, number);
	known[number].tid = gettid();
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	if (test_breaking() && number == 33)
		prctl(PR_SET_NAME, "other");
	prctl(PR_GET_NAME, now);
	expect(strcmp(name, now) == 0, "thread %d is called %s", number, now);
	expect(own_number == number, "thread-local variable of %d is %d", number, own_number);
	expect(gettid() == known[number].tid, "thread %d had ID %d and has %d", number, known[number].tid, gettid());
	expect(pthread_equal(pthread_self(), known[number].thread), "thread %d: pthread_self() changed", number);
	expect_pattern("stack of a thread", filler, sizeof filler, number);
	return arg;
}

void test_setup(void)
{
	for (intptr_t i = 0; i < THREADS; i++)
		known[i].thread = test_thread(thread_body, (void *)i);
	while (ready < THREADS)
		test_nap(1);
}

void test_break(void)
{
}

void test_check(void)
{
	for (intptr_t i = 0; i < THREADS; i++) {
		void *result;
		int error = pthread_join(known[i].thread, &result);

		expect(error == 0 && result == (void *)i, "pthread_join of %ld: error %d", (long)i, error);
	}
}
