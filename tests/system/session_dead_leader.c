/* SPDX-License-Identifier: MIT */
/* A session, and a group in it, whose leader has died: its members keep the numbers. */
#include "testlib.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t leader, orphan;

static void member(void *arg)
{
	(void)arg;
	pid_t session = getsid(0), group = getpgid(0);

	test_child_ready();
	test_wait();
	if (test_breaking())
		setsid();
	expect(getsid(0) == session && getpgid(0) == group, "session %d, group %d became %d, %d", session, group, getsid(0),
	       getpgid(0));
	expect(getppid() == (pid_t)(intptr_t)arg, "the orphan's parent is %d", getppid());
}

static void lead(void *arg)
{
	setsid();
	/* The leader's child comes to the root, which is a subreaper. */
	pid_t child = test_child(member, arg);
	char text[16];

	snprintf(text, sizeof text, "orphan.%d", child);
	must(symlink(text, test_path("orphan")));
	test_child_ready();
}

void test_setup(void)
{
	char text[32] = "";

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	leader = test_child(lead, (void *)(intptr_t)getpid());
	test_join(leader);
	must(readlink(test_path("orphan"), text, sizeof text - 1));
	sscanf(text, "orphan.%d", &orphan);
	expect(getsid(orphan) == leader, "set-up: the orphan is in session %d", getsid(orphan));
}

void test_break(void)
{
}

void test_check(void)
{
	test_join(orphan);
}
