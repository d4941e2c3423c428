/* SPDX-License-Identifier: MIT */
/* A process group whose leader has ended and was reaped; one whose leader is a zombie. */
#include "testlib.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t leader[2], member[2];

static void lead(void *arg)
{
	(void)arg;
	setpgid(0, 0);
	test_child_ready();
	while (access(test_path("leaders-end"), F_OK))
		test_nap(1);
}

static void belong(void *arg)
{
	pid_t group = (intptr_t)arg;

	must(setpgid(0, group));
	test_child_ready();
	test_wait();
	if (test_breaking())
		setpgid(0, 0);
	expect(getpgid(0) == group, "group %d became %d", group, getpgid(0));
	expect(getsid(0) == getppid(), "session became %d", getsid(0));
}

void test_setup(void)
{
	siginfo_t info;

	for (int i = 0; i < 2; i++) {
		leader[i] = test_child(lead, NULL);
		member[i] = test_child(belong, (void *)(intptr_t)leader[i]);
	}
	must(mkdir(test_path("leaders-end"), 0755));
	test_join(leader[0]);
	must(waitid(P_PID, leader[1], &info, WEXITED | WNOWAIT));
}

void test_break(void)
{
}

void test_check(void)
{
	test_join(member[0]);
	test_join(member[1]);
	test_join(leader[1]);
	expect(kill(-leader[0], 0) == -1 && errno == ESRCH, "the group is not empty");
}
