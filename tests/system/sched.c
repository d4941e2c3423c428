/* SPDX-License-Identifier: MIT */
/* Scheduling policies with their priorities, reset-on-fork, and processor affinity, per thread. */
#include "testlib.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

static const struct {
	const char *name;
	int policy, priority, processor; /* processor -1: all */
} cases[] = {
	{"SCHED_OTHER", SCHED_OTHER, 0, 0},
	{"SCHED_BATCH", SCHED_BATCH, 0, 1},
	{"SCHED_IDLE", SCHED_IDLE, 0, -1},
	{"SCHED_FIFO", SCHED_FIFO, 7, -1},
	{"SCHED_RR", SCHED_RR, 3, 0},
	{"SCHED_FIFO, reset on fork", SCHED_FIFO | SCHED_RESET_ON_FORK, 1, -1},
};
enum { CASES = sizeof cases / sizeof *cases };

static pthread_t thread[CASES];
static volatile int ready;
static bool applied[CASES];

static void *body(void *arg)
{
	intptr_t number = (intptr_t)arg;
	int priority = cases[number].priority, now_priority = -1;
	cpu_set_t all, set, now;

	must(sched_getaffinity(0, sizeof all, &all));
	set = all;
	if (cases[number].processor >= 0 && CPU_ISSET(cases[number].processor, &all)) {
		CPU_ZERO(&set);
		CPU_SET(cases[number].processor, &set);
	}
	must(sched_setaffinity(0, sizeof set, &set));
	/* The plain calls: musl has none of its own. A machine may forbid real-time policies. */
	applied[number] = syscall(SYS_sched_setscheduler, 0, cases[number].policy, &priority) == 0;
	if (!applied[number])
		test_log("%s cannot be had here: errno %d\n", cases[number].name, errno);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	if (test_breaking() && number == 1) {
		priority = 0;
		must(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &priority));
	}
	must(sched_getaffinity(0, sizeof now, &now));
	expect(CPU_EQUAL(&set, &now), "%s: the affinity differs", cases[number].name);
	if (applied[number]) {
		long policy = syscall(SYS_sched_getscheduler, 0);

		expect(policy == cases[number].policy, "%s: the policy is %#lx", cases[number].name, policy);
		must(syscall(SYS_sched_getparam, 0, &now_priority));
		expect(now_priority == cases[number].priority, "%s: the priority is %d", cases[number].name, now_priority);
	}
	return NULL;
}

void test_setup(void)
{
	for (intptr_t i = 0; i < CASES; i++)
		thread[i] = test_thread(body, (void *)i);
	while (ready < CASES)
		test_nap(1);
}

void test_break(void)
{
}

void test_check(void)
{
	for (int i = 0; i < CASES; i++)
		pthread_join(thread[i], NULL);
}
