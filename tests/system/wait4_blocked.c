/* SPDX-License-Identifier: MIT */
/* Threads blocked in wait4 and waitid for children that end only after the restore. */
#include "waiter.h"

#include <sys/wait.h>
#include <unistd.h>

static pid_t child[2];

static void end_later(void *arg)
{
	test_child_ready();
	test_wait();
	test_nap(10);
	_exit(test_breaking() ? 9 : (int)(intptr_t)arg);
}

static long call_wait4(struct waiter *self)
{
	int status = 0;
	pid_t pid = waitpid(child[0], &status, 0);

	(void)self;
	return pid == child[0] && WIFEXITED(status) ? WEXITSTATUS(status) : pid;
}

static long call_waitid(struct waiter *self)
{
	siginfo_t info = {0};
	int result = waitid(P_PID, child[1], &info, WEXITED);

	(void)self;
	return result == 0 && info.si_code == CLD_EXITED && info.si_pid == child[1] ? info.si_status : result;
}

static struct waiter waiters[2] = {{.name = "wait4", .call = call_wait4}, {.name = "waitid", .call = call_waitid}};

void test_setup(void)
{
	for (intptr_t i = 0; i < 2; i++)
		child[i] = test_child(end_later, (void *)(5 + i));
	for (int i = 0; i < 2; i++)
		waiter_start(&waiters[i]);
}

void test_break(void)
{
}

void test_check(void)
{
	for (int i = 0; i < 2; i++)
		waiter_expect(&waiters[i], 5 + i, 0);
}
