/* SPDX-License-Identifier: MIT */
/*
 * Two threads compute in the midst of 5 MiB of code, and make no call: whoever is led away from there comes back, although no short
 * jump comes so far.  All that is in registers is there again.
 */
#include "testlib.h"

#define HALF "	.pushsection .text_large, \"ax\", %progbits\n	.zero 2621440\n	.popsection\n"

/* Code that nobody ever comes to. */
__asm__(HALF);

struct turns {
	volatile bool *stop, spoil;
	uint64_t done;		/* as is seen from outside */
};

/* How many turns had something else in one register than in another one. */
__attribute__((section(".text_large"), noinline, no_reorder)) static uint64_t compute(volatile struct turns *turns)
{
	uint64_t wrong = 0, n = 0, a = 1, b = ~a;
	double d = 0;

	do {
		a = a * 6364136223846793005U + 1442695040888963407U;
		b = ~(~b * 6364136223846793005U + 1442695040888963407U);
		d += 1;
		__asm__ volatile("" : "+r"(a), "+r"(b));
		if (turns->spoil)
			a++;
		if (a != ~b || d != (double)++n)
			wrong++;
		turns->done = n;
	} while (!*turns->stop);
	return wrong;
}

__asm__(HALF);

static volatile bool stop;
static volatile struct turns turns[2] = { { .stop = &stop }, { .stop = &stop } };
static uint64_t wrong[2];
static pthread_t thread;

static void *body(void *arg)
{
	wrong[1] = compute(arg);
	return NULL;
}

/* Looks for the main thread whether it may go on. */
static void *watch(void *arg)
{
	test_wait();
	turns[0].spoil = turns[1].spoil = test_breaking();
	test_nap(50);
	stop = true;
	return arg;
}

void test_setup(void)
{
	thread = test_thread(body, (void *)&turns[1]);
	test_thread(watch, NULL);
}

void test_hold(void)
{
	wrong[0] = compute(&turns[0]);
}

void test_break(void)
{
}

void test_check(void)
{
	pthread_join(thread, NULL);
	for (int i = 0; i < 2; i++)
		expect(!wrong[i], "%llu of %llu turns of thread %d had something wrong in a register", (unsigned long long)wrong[i],
		       (unsigned long long)turns[i].done, i);
}
