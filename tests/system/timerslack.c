/* SPDX-License-Identifier: MIT */
/* Timer slack of each thread, and the default that it falls back to. */
#include "testlib.h"

#include <sys/prctl.h>

enum { THREADS = 3 };

static pthread_t thread[THREADS];
static volatile int ready;

static void expect_slack(const char *who, long value)
{
	long now = prctl(PR_GET_TIMERSLACK);

	expect(now == value, "%s: timer slack was %ld and is %ld", who, value, now);
}

static void *body(void *arg)
{
	long value = 111111 * ((intptr_t)arg + 1);

	must(prctl(PR_SET_TIMERSLACK, value));
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	expect_slack("thread", value);
	return arg;
}

void test_setup(void)
{
	for (intptr_t i = 0; i < THREADS; i++)
		thread[i] = test_thread(body, (void *)i);
	while (ready < THREADS)
		test_nap(1);
	must(prctl(PR_SET_TIMERSLACK, 77777));
}

void test_break(void)
{
	must(prctl(PR_SET_TIMERSLACK, 77778));
}

void test_check(void)
{
	expect_slack("main thread", 77777);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}
