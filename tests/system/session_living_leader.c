/* SPDX-License-Identifier: MIT */
/*
 * Sessions in which a process is, though its parent is not: an orphan whose session's leader lives on beside it, and a
 * child that is older than its parent's setsid(2).
 */
#include "testlib.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static pid_t leader, older, orphan;

static void member(void *arg)
{
	pid_t session = getsid(0), parent = (pid_t)(intptr_t)arg;

	test_child_ready();
	test_wait();
	if (test_breaking())
		setsid();
	expect(getsid(0) == session, "session %d became %d", session, getsid(0));
	expect(getppid() == parent, "the parent is %d, was %d", getppid(), parent);
}

/* Its child comes to the root, which is a subreaper, and stays in the session. */
static void pass_on(void *arg)
{
	char text[32];

	snprintf(text, sizeof text, "orphan.%d", test_child(member, arg));
	must(symlink(text, test_path("orphan")));
	test_child_ready();
}

static void lead(void *arg)
{
	setsid();
	test_join(test_child(pass_on, arg));
	test_child_ready();
	test_wait();
	if (!test_breaking())
		expect(getsid(0) == getpid(), "the leader is in session %d", getsid(0));
}

static void lead_late(void *arg)
{
	pid_t child = test_child(member, (void *)(intptr_t)getpid());

	(void)arg;
	setsid();
	test_child_ready();
	test_wait();
	expect(getsid(0) == getpid(), "the late leader is in session %d", getsid(0));
	test_join(child);
}

void test_setup(void)
{
	char text[32] = "";

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	leader = test_child(lead, (void *)(intptr_t)getpid());
	older = test_child(lead_late, NULL);
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
	test_join(leader);
	test_join(older);
}
