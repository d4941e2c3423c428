/* SPDX-License-Identifier: MIT */
/*
 * Thread-local storage: compiler's, pthread keys, and on x86_64 (gs base) and
 * 32-bit ARM (TPIDRURW) a register that nobody but the program uses.
 */
#include "testlib.h"

#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

enum { THREADS = 6 };

static __thread char local[4096];
static __thread int local_errno_like = 17;
static pthread_key_t key;
static pthread_t thread[THREADS];
static volatile int ready;

static void set_own_register(void *base)
{
#if defined(__x86_64__)
	syscall(SYS_arch_prctl, ARCH_SET_GS, base);
#elif defined(__arm__)
	__asm__ volatile("mcr p15, 0, %0, c13, c0, 2" ::"r"(base));
#else
	(void)base;
#endif
}

static void *own_register(void *otherwise)
{
#if defined(__x86_64__)
	syscall(SYS_arch_prctl, ARCH_GET_GS, &otherwise);
#elif defined(__arm__)
	__asm__ volatile("mrc p15, 0, %0, c13, c0, 2" : "=r"(otherwise));
#endif
	return otherwise;
}

static void *body(void *arg)
{
	intptr_t number = (intptr_t)arg;
	char *address = local;

	fill_pattern(local, sizeof local, number);
	local_errno_like += number;
	pthread_setspecific(key, local + number);
	set_own_register(local + 8 * number);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	if (test_breaking() && number == 3)
		local_errno_like = 0;
	expect(address == local, "thread %ld: thread-local variable moved", (long)number);
	expect_pattern("thread-local array", local, sizeof local, number);
	expect(local_errno_like == 17 + number, "thread %ld: thread-local int is %d", (long)number, local_errno_like);
	expect(pthread_getspecific(key) == local + number, "thread %ld: pthread_getspecific differs", (long)number);
	expect(own_register(local + 8 * number) == local + 8 * number, "thread %ld: its own register is %p", (long)number,
	       own_register(NULL));
	errno = 99;
	access("/nonexistent", F_OK);
	expect(errno == ENOENT, "thread %ld: errno is not its own", (long)number);
	return arg;
}

void test_setup(void)
{
	pthread_key_create(&key, NULL);
	set_own_register(local);
	for (intptr_t i = 0; i < THREADS; i++)
		thread[i] = test_thread(body, (void *)i);
	while (ready < THREADS)
		test_nap(1);
}

void test_break(void)
{
}

void test_check(void)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	expect(own_register(local) == local, "main thread: its own register is %p", own_register(NULL));
}
