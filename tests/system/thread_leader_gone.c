/* SPDX-License-Identifier: MIT */
/* The main thread has ended, the others run on: a zombie leader with living threads. */
#include "selfview.h"

#include <sys/syscall.h>
#include <unistd.h>

static void *go_on(void *arg)
{
	(void)arg;
	while (task_state(getpid()) != 'Z')
		test_nap(1);
	test_continue();
}

void test_setup(void)
{
	test_may_be_refused();
	test_thread(go_on, NULL);
	/* Not pthread_exit(): that would run the C library's idea of the end of main. */
	syscall(SYS_exit, 0);
}

static bool spoiled;

void test_break(void)
{
	spoiled = true;
}

void test_check(void)
{
	expect(task_state(getpid()) == 'Z' && !spoiled, "the leader is in state %c", task_state(getpid()));
	expect(gettid() != getpid(), "the leader lives");
}
