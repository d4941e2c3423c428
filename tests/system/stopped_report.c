/* SPDX-License-Identifier: MIT */
/* A parent that has taken note of stops is not told again; of those that it has not, it still is. */
#include "selfview.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 70 };

static pid_t child[CHILDREN];
static volatile int notified;

static void count(int number)
{
	(void)number;
	notified++;
}

static bool is_told(int i)
{
	return i % 2 || i < CHILDREN / 3;
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
	for (int i = 0; i < CHILDREN; i++) {
		child[i] = test_child(wait_for_ever, NULL);
		kill(child[i], SIGSTOP);
		while (task_state(child[i]) != 'T')
			test_nap(1);
		if (is_told(i))
			must(waitpid(child[i], NULL, WUNTRACED));
	}
	test_nap(2);
	notified = 0;
}

void test_break(void)
{
	kill(child[CHILDREN - 1], SIGCONT);
	test_nap(2);
	kill(child[CHILDREN - 1], SIGSTOP);
	test_nap(2);
}

void test_check(void)
{
	expect(notified == 0, "SIGCHLD came %d times although no child has changed since", notified);
	for (int i = 0; i < CHILDREN; i++) {
		int status = 0;
		const pid_t reported = waitpid(child[i], &status, WUNTRACED | WNOHANG);

		if (is_told(i))
			expect(reported == 0, "the stop of child %d is reported again: 0x%x", i, status);
		else
			expect(reported == child[i] && WIFSTOPPED(status), "the stop of child %d is not reported: 0x%x", i, status);
	}
	for (int i = 0; i < CHILDREN; i++) {
		kill(child[i], SIGKILL);
		waitpid(child[i], NULL, 0);
	}
}
