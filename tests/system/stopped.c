/* SPDX-License-Identifier: MIT */
/* Stopped children, one of them with threads, stay stopped; SIGCONT sets them going again. */
#include "selfview.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 3 };

static pid_t child[CHILDREN];
static const int stop_signal[CHILDREN] = {SIGSTOP, SIGTSTP, SIGSTOP};

static volatile int ticks;

static void *tick(void *arg)
{
	for (;; ticks++)
		test_nap(2);
	return arg;
}

static void be_stopped(void *arg)
{
	intptr_t number = (intptr_t)arg;

	/* SIGTSTP does not stop members of an orphaned group. */
	if (number == 1)
		setpgid(0, 0);
	if (number == 2)
		test_thread(tick, NULL);
	test_child_ready();
	while (access(test_path("continued"), F_OK))
		test_nap(2);
}

void test_setup(void)
{
	for (intptr_t i = 0; i < CHILDREN; i++) {
		int status;

		child[i] = test_child(be_stopped, (void *)i);
		kill(child[i], stop_signal[i]);
		/* The stop is taken note of, as a shell does. */
		must(waitpid(child[i], &status, WUNTRACED));
		expect(WIFSTOPPED(status), "set-up: status 0x%x", status);
	}
}

void test_break(void)
{
	kill(child[2], SIGCONT);
	test_nap(5);
}

void test_check(void)
{
	for (int i = 0; i < CHILDREN; i++)
		expect(task_state(child[i]) == 'T', "child %d is in state %c", i, task_state(child[i]));
	must(mkdir(test_path("continued"), 0755));
	test_nap(10);
	for (int i = 0; i < CHILDREN; i++) {
		expect(task_state(child[i]) == 'T', "child %d runs without SIGCONT, state %c", i, task_state(child[i]));
		kill(child[i], SIGCONT);
		test_join(child[i]);
	}
}
