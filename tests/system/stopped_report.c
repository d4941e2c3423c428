/* SPDX-License-Identifier: MIT */
/*
 * A parent that has taken note of stops is not told again; of those that it has not, it still is.  So it is of those who go on since.
 */
#include "selfview.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 36, GOING_ON = 4 };	/* more than are asked for at a time */

static pid_t child[CHILDREN], going_on[GOING_ON];
static volatile int notified;

static void count(int number)
{
	(void)number;
	notified++;
}

/* Its state is seen to have changed before this is told of it. */
static void send(pid_t pid, int signal)
{
	const int before = notified;

	must(kill(pid, signal));
	while (notified == before)
		test_nap(1);
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
		send(child[i], SIGSTOP);
		if (is_told(i))
			must(waitpid(child[i], NULL, WUNTRACED));
	}
	for (int i = 0; i < GOING_ON; i++) {
		going_on[i] = test_child(wait_for_ever, NULL);
		send(going_on[i], SIGSTOP);
		must(waitpid(going_on[i], NULL, WUNTRACED));
		send(going_on[i], SIGCONT);
		if (i % 2)
			must(waitpid(going_on[i], NULL, WCONTINUED));
	}
	notified = 0;
}

void test_break(void)
{
	send(child[CHILDREN - 1], SIGCONT);
	send(child[CHILDREN - 1], SIGSTOP);
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
	for (int i = 0; i < GOING_ON; i++) {
		int status = 0;
		const pid_t reported = waitpid(going_on[i], &status, WUNTRACED | WCONTINUED | WNOHANG);

		if (i % 2)
			expect(reported == 0, "child %d goes on, which is reported again: 0x%x", i, status);
		else
			expect(reported == going_on[i] && WIFCONTINUED(status), "that child %d goes on is not reported: 0x%x", i, status);
		expect(task_state(going_on[i]) == 'S', "child %d, which goes on, is in state %c", i, task_state(going_on[i]));
		kill(going_on[i], SIGKILL);
		waitpid(going_on[i], NULL, 0);
	}
	for (int i = 0; i < CHILDREN; i++) {
		kill(child[i], SIGKILL);
		waitpid(child[i], NULL, 0);
	}
}
