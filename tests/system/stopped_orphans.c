/* SPDX-License-Identifier: MIT */
/*
 * A stopped child in a group that a zombie left orphaned, before the stop: at the death of the last member whose parent is
 * another group's, the kernel sends SIGHUP and SIGCONT to a group that has stopped members, and here that is past.
 */
#include "selfview.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t stopped, other_group;
static volatile int hangups;

static void count(int number)
{
	(void)number;
	hangups++;
}

static void be_stopped(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
}

static void join_and_end(void *arg)
{
	must(setpgid(0, (pid_t)(intptr_t)arg));
	test_child_ready();
}

static void have_zombie(void *arg)
{
	siginfo_t info;

	must(setpgid(0, 0));
	pid_t zombie = test_child(join_and_end, arg);

	must(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT));
	test_child_ready();
	test_wait();
	test_join(zombie);
}

void test_setup(void)
{
	signal(SIGHUP, count);
	/* made first, so that it comes first in every list */
	stopped = test_child(be_stopped, NULL);
	other_group = test_child(have_zombie, (void *)(intptr_t)getpgid(0));
	must(kill(stopped, SIGSTOP));
	must(waitpid(stopped, NULL, WUNTRACED));
}

void test_break(void)
{
	kill(stopped, SIGCONT);
}

void test_check(void)
{
	test_nap(10);
	expect(hangups == 0, "SIGHUP came %d times", hangups);
	expect(task_state(stopped) == 'T', "the stopped child is in state %c", task_state(stopped));
	kill(stopped, SIGCONT);
	test_join(stopped);
	test_join(other_group);
}
