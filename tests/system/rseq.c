/* SPDX-License-Identifier: MIT */
/* Restartable sequences stay registered: the kernel keeps cpu_id right in every thread. */
#include "testlib.h"

#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The beginning of the kernel's struct rseq. */
struct area {
	volatile uint32_t cpu_id_start, cpu_id;
	uint64_t critical_section;
	uint32_t flags, node_id, mm_cid, pad;
} __attribute__((aligned(32)));

enum { SIGNATURE = 0x53053053, THREADS = 3 };

/* The C library's own registration, where it makes one. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static __thread struct area own;
static pthread_t thread[THREADS];
static volatile int ready;

static bool by_library(void)
{
	return &__rseq_size && __rseq_size > 0;
}

static struct area *registered(void)
{
	return by_library() ? (struct area *)((char *)__builtin_thread_pointer() + __rseq_offset) : &own;
}

static int register_own(void)
{
	return by_library() ? 0 : syscall(SYS_rseq, &own, sizeof own, 0, SIGNATURE);
}

static void expect_followed(const char *who)
{
	struct area *area = registered();
	cpu_set_t all, one;

	must(sched_getaffinity(0, sizeof all, &all));
	if (test_breaking())
		area->cpu_id = 4000;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (!test_breaking())
			must(sched_setaffinity(0, sizeof one, &one));
		expect(test_breaking() || area->cpu_id == (uint32_t)cpu, "%s: cpu_id is %u on processor %d", who, area->cpu_id, cpu);
	}
	expect(area->cpu_id < CPU_SETSIZE, "%s: cpu_id is %u", who, area->cpu_id);
	must(sched_setaffinity(0, sizeof all, &all));
}

static void *body(void *arg)
{
	expect(register_own() == 0, "set-up: rseq in a thread: errno %d", errno);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	expect_followed("thread");
	return arg;
}

void test_setup(void)
{
	struct utsname kernel;
	int major = 0, minor = 0;

	if (register_own())
		test_skip("this kernel has no rseq");
	must(uname(&kernel));
	if (sscanf(kernel.release, "%d.%d", &major, &minor) == 2 && major * 100 + minor < 513)
		test_may_be_refused("rseq(2) is in use, where this kernel does not tell");	/* PTRACE_GET_RSEQ_CONFIGURATION came later */
	for (int i = 0; i < THREADS; i++)
		thread[i] = test_thread(body, NULL);
	while (ready < THREADS)
		test_nap(1);
}

void test_break(void)
{
}

void test_check(void)
{
	expect_followed("main thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	/* The library's area cannot be registered twice; a lost registration could. */
	if (by_library())
		expect(syscall(SYS_rseq, registered(), 32, 0, SIGNATURE) == -1 && (errno == EBUSY || errno == EINVAL || errno == EPERM),
		       "the kernel has forgotten the registration");
}
