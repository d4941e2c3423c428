/* SPDX-License-Identifier: MIT */
/* I/O priority of each thread. */
#include "testlib.h"

#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 4, OF_PROCESS = 1 };
#define PRIORITY(class, level) ((class) << 13 | (level))
static const int values[THREADS] = {PRIORITY(2, 6), PRIORITY(3, 0), PRIORITY(1, 3), PRIORITY(2, 0)};

static pthread_t thread[THREADS];
static volatile int ready;

static void expect_priority(const char *who, int value)
{
	long now = syscall(SYS_ioprio_get, OF_PROCESS, 0);

	expect(now == value, "%s: I/O priority was %#x and is %#lx", who, value, now);
}

static void *body(void *arg)
{
	int value = values[(intptr_t)arg];

	must(syscall(SYS_ioprio_set, OF_PROCESS, 0, value));
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	expect_priority("thread", value);
	return arg;
}

void test_setup(void)
{
	if (syscall(SYS_ioprio_get, OF_PROCESS, 0) < 0)
		test_skip("this kernel has no I/O priorities");
	for (intptr_t i = 0; i < THREADS; i++)
		thread[i] = test_thread(body, (void *)i);
	while (ready < THREADS)
		test_nap(1);
	must(syscall(SYS_ioprio_set, OF_PROCESS, 0, PRIORITY(2, 5)));
}

void test_break(void)
{
	must(syscall(SYS_ioprio_set, OF_PROCESS, 0, PRIORITY(2, 4)));
}

void test_check(void)
{
	expect_priority("main thread", PRIORITY(2, 5));
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}
