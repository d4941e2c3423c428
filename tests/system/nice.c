/* SPDX-License-Identifier: MIT */
/* Nice values of processes and of single threads, raised and lowered. */
#include "testlib.h"

#include <sys/resource.h>
#include <unistd.h>

enum { THREADS = 3 };
static const int values[THREADS] = {12, -4, 0};

static pthread_t thread[THREADS];
static volatile int ready;
static int root_value = 5;
static pid_t child;

static void expect_nice(const char *who, int value)
{
	int now = getpriority(PRIO_PROCESS, gettid());

	expect(now == value, "%s: nice was %d and is %d", who, value, now);
}

static void *body(void *arg)
{
	int value = values[(intptr_t)arg];

	must(setpriority(PRIO_PROCESS, gettid(), value));
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	expect_nice("thread", value);
	return arg;
}

static void in_child(void *arg)
{
	(void)arg;
	setpriority(PRIO_PROCESS, 0, -7);
	test_child_ready();
	test_wait();
	expect_nice("child", -7);
}

void test_setup(void)
{
	child = test_child(in_child, NULL);
	for (intptr_t i = 0; i < THREADS; i++)
		thread[i] = test_thread(body, (void *)i);
	while (ready < THREADS)
		test_nap(1);
	must(setpriority(PRIO_PROCESS, 0, root_value));
}

void test_break(void)
{
	must(setpriority(PRIO_PROCESS, 0, root_value + 1));
}

void test_check(void)
{
	expect_nice("main thread", root_value);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	test_join(child);
}
