/* SPDX-License-Identifier: MIT */
/* A parent that has taken note of a stop is not told again; one that has not, still is. */
#include "selfview.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t told, untold;
static volatile int notified;

static void count(int number)
{
	(void)number;
	notified++;
}

static void wait_for_ever(void *arg)
{
	(void)arg;
	test_child_ready();
	for (;;)
		pause();
}

void test_setup(void)
{
	signal(SIGCHLD, count);
	told = test_child(wait_for_ever, NULL);
	untold = test_child(wait_for_ever, NULL);
	kill(told, SIGSTOP);
	must(waitpid(told, NULL, WUNTRACED));
	kill(untold, SIGSTOP);
	while (task_state(untold) != 'T')
		test_nap(1);
	test_nap(2);
	notified = 0;
}

void test_break(void)
{
	kill(told, SIGCONT);
	test_nap(2);
	kill(told, SIGSTOP);
	test_nap(2);
}

void test_check(void)
{
	int status = 0;

	expect(notified == 0, "SIGCHLD came %d times although no child has changed since", notified);
	expect(waitpid(told, &status, WUNTRACED | WNOHANG) == 0, "the stop of the first child is reported again: 0x%x", status);
	expect(waitpid(untold, &status, WUNTRACED | WNOHANG) == untold && WIFSTOPPED(status),
	       "the stop of the second child is not reported: 0x%x", status);
	kill(told, SIGKILL);
	kill(untold, SIGKILL);
	waitpid(told, NULL, 0);
	waitpid(untold, NULL, 0);
}
