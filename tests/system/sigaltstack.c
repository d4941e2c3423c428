/* SPDX-License-Identifier: MIT */
/* Alternate signal stacks of threads: known to the kernel, used by handlers, and in use at the very moment. */
#include "testlib.h"

#include <signal.h>
#include <stdlib.h>

enum { THREADS = 3, SIZE = 65536 };

static struct {
	pthread_t thread;
	char *stack;
	char *handler_frame;
} known[THREADS];
static __thread int number;
static volatile int ready;

static void note_frame(int signal_number)
{
	char here;

	(void)signal_number;
	known[number].handler_frame = &here;
}

/* The save happens in here, on the alternate stack. */
static void wait_inside(int signal_number)
{
	char filler[8000];
	stack_t now;

	(void)signal_number;
	fill_pattern(filler, sizeof filler, 300);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	expect_pattern("frame of the handler", filler, sizeof filler, 300);
	sigaltstack(NULL, &now);
	expect(now.ss_flags & SS_ONSTACK, "the kernel does not know that the alternate stack is in use");
}

static void *body(void *arg)
{
	stack_t stack = {.ss_size = SIZE}, now;

	number = (intptr_t)arg;
	stack.ss_sp = known[number].stack = malloc(SIZE);
	must(sigaltstack(&stack, NULL));
	if (number == THREADS - 1) {
		raise(SIGUSR2);
	} else {
		__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
		test_wait();
	}
	if (test_breaking() && number == 1) {
		stack.ss_size -= 4096;
		must(sigaltstack(&stack, NULL));
	}
	must(sigaltstack(NULL, &now));
	expect(now.ss_sp == known[number].stack && now.ss_size == SIZE && now.ss_flags == 0,
	       "thread %d: alternate stack is %p, %zu bytes, flags %d", number, now.ss_sp, now.ss_size, now.ss_flags);
	raise(SIGUSR1);
	expect(known[number].handler_frame >= known[number].stack && known[number].handler_frame < known[number].stack + SIZE,
	       "thread %d: the handler ran elsewhere", number);
	return NULL;
}

void test_setup(void)
{
	struct sigaction action = {.sa_handler = note_frame, .sa_flags = SA_ONSTACK};

	must(sigaction(SIGUSR1, &action, NULL));
	action.sa_handler = wait_inside;
	must(sigaction(SIGUSR2, &action, NULL));
	for (intptr_t i = 0; i < THREADS; i++)
		known[i].thread = test_thread(body, (void *)i);
	while (ready < THREADS)
		test_nap(1);
}

void test_break(void)
{
}

void test_check(void)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(known[i].thread, NULL);
}
