/* SPDX-License-Identifier: MIT */
/*
 * What only sched_setattr(2) sets: a deadline task's times, and the utilization that a task is taken to have.
 * arguments: deadline util
 */
#include "testlib.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
} wanted;

enum { DEADLINE = 6, RESET_ON_FORK = 1, RECLAIM = 2, UTIL = 0x60 };

static void *body(void *arg)
{
	struct attributes now = { 0 };

	*(volatile int *)arg = syscall(SYS_sched_setattr, 0, &wanted, 0) ? errno : -1;
	if (*(volatile int *)arg > 0)
		return NULL;
	test_wait();
	if (test_breaking())
		must(syscall(SYS_sched_setattr, 0, &(struct attributes){ .size = sizeof now, .flags = UTIL, .util_max = 1024 }, 0));
	must(syscall(SYS_sched_getattr, 0, &now, sizeof now, 0));
	expect(now.policy == wanted.policy, "the policy was %u and is %u", wanted.policy, now.policy);
	expect(now.util_min == wanted.util_min && (!wanted.util_max || now.util_max == wanted.util_max),
	       "the utilization was %u to %u and is %u to %u", wanted.util_min, wanted.util_max, now.util_min, now.util_max);
	if (wanted.policy == DEADLINE)
		expect(now.runtime == wanted.runtime && now.deadline == wanted.deadline && now.period == wanted.period &&
		       now.flags == wanted.flags, "its times differ: %llu %llu %llu, flags %#llx", (unsigned long long)now.runtime,
		       (unsigned long long)now.deadline, (unsigned long long)now.period, (unsigned long long)now.flags);
	return arg;
}

static pthread_t thread;

void test_setup(void)
{
	volatile int result = 0;

	wanted = (struct attributes){ .size = sizeof wanted };
	if (!strcmp(test_argument(), "deadline")) {
		wanted.policy = DEADLINE;
		wanted.flags = RESET_ON_FORK | RECLAIM;
		wanted.runtime = 10 * 1000 * 1000;
		wanted.deadline = 50 * 1000 * 1000;
		wanted.period = 100 * 1000 * 1000;
	} else {
		wanted.flags = UTIL;
		wanted.util_min = 300;
		wanted.util_max = 700;
	}
	thread = test_thread(body, (void *)&result);
	while (!result)
		test_nap(1);
	if (result > 0)
		test_skip("it cannot be set here (errno %d)", result);
}

void test_break(void)
{
}

void test_check(void)
{
	pthread_join(thread, NULL);
}
