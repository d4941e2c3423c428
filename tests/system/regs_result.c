/* SPDX-License-Identifier: MIT */
/*
 * Threads in user mode that hold, in the register where system calls return, what the kernel uses among itself for a call
 * that was interrupted: nobody may take it for one.
 */
#include "hold_value.h"
#include "testlib.h"

enum { THREADS = 5 };
static const long values[THREADS] = {-512, -513, -514, -516, -4};
static volatile int stop;
static long found[THREADS];
static pthread_t threads[THREADS];
static volatile int running;

static void *body(void *arg)
{
	intptr_t i = (intptr_t)arg;

	__sync_fetch_and_add(&running, 1);
	found[i] = hold_value(&stop, values[i]);
	return NULL;
}

static void *let_main_go(void *arg)
{
	test_wait();
	stop = 1;
	return arg;
}

void test_setup(void)
{
	for (intptr_t i = 1; i < THREADS; i++)
		threads[i] = test_thread(body, (void *)i);
	while (running < THREADS - 1)
		test_nap(1);
	threads[0] = test_thread(let_main_go, NULL);
}

void test_hold(void)
{
	found[0] = hold_value(&stop, values[0]);
}

void test_break(void)
{
	found[0]++;
}

void test_check(void)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++)
		expect(found[i] == values[i], "thread %d held %ld and holds %ld", i, values[i], found[i]);
}
