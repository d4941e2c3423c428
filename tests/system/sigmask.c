/* SPDX-License-Identifier: MIT */
/* Each thread has its own signal mask, and gets what it lets through. */
#include "testlib.h"

#include <signal.h>

enum { THREADS = 5 };

static pthread_t thread[THREADS];
static volatile int ready, handled[THREADS];
static __thread int number = -1;

static void handler(int signal_number)
{
	(void)signal_number;
	if (number >= 0)
		handled[number]++;
}

static sigset_t mask_of(int which)
{
	sigset_t set;

	sigemptyset(&set);
	for (int i = 1; i <= 64; i++)
		if (i % (which + 2) == 0 && i != SIGUSR2)
			sigaddset(&set, i);
	return set;
}

static void expect_mask(int which)
{
	sigset_t now, wanted;

	/* What the C library and the kernel do not let one block is not in the comparison. */
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	wanted = mask_of(which);
	for (int i = 1; i < 32; i++)
		expect(i == SIGKILL || i == SIGSTOP || sigismember(&now, i) == sigismember(&wanted, i),
		       "thread %d: signal %d is %sblocked", which, i, sigismember(&now, i) ? "" : "not ");
	for (int i = SIGRTMIN; i <= 64; i++)
		expect(sigismember(&now, i) == sigismember(&wanted, i), "thread %d: signal %d is %sblocked", which, i,
		       sigismember(&now, i) ? "" : "not ");
}

static void *body(void *arg)
{
	number = (intptr_t)arg;
	sigset_t mask = mask_of(number);

	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	if (test_breaking() && number == 4) {
		sigdelset(&mask, SIGTERM + 3); /* 18, a multiple of 6 */
		pthread_sigmask(SIG_SETMASK, &mask, NULL);
	}
	expect_mask(number);
	raise(SIGUSR2);
	expect(handled[number] == 1, "thread %d: handler ran %d times", number, handled[number]);
	return NULL;
}

void test_setup(void)
{
	sigset_t mask = mask_of(THREADS);

	signal(SIGUSR2, handler);
	for (intptr_t i = 0; i < THREADS; i++)
		thread[i] = test_thread(body, (void *)i);
	while (ready < THREADS)
		test_nap(1);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

void test_break(void)
{
}

void test_check(void)
{
	expect_mask(THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}
