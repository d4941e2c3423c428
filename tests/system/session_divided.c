/* SPDX-License-Identifier: MIT */
/*
 * Sessions whose members came to several parents, as the one nearest to them no longer asked for orphans when the later ones
 * were orphaned: one whose leader is dead, and one whose leader itself was handed up.
 */
#include "testlib.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static pid_t adopting[2];

static void note(const char *name, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof text, "%d", pid);
	must(symlink(text, test_path(name)));
}

static pid_t noted(const char *name)
{
	char text[16] = "";

	must(readlink(test_path(name), text, sizeof text - 1));
	return atoi(text);
}

/* Waits for its parent to change, and then keeps all. */
static void member(void *arg)
{
	pid_t session = getsid(0), first = (pid_t)(intptr_t)arg, parent;

	test_child_ready();
	while ((parent = getppid()) == first && !test_may_go())
		test_nap(1);
	test_wait();
	if (test_breaking())
		setsid();
	expect(getsid(0) == session && getppid() == parent, "session %d, parent %d became %d, %d", session, parent, getsid(0),
	       getppid());
}

static void bear_and_die(void *arg)
{
	note(arg, test_child(member, (void *)(intptr_t)getpid()));
	test_child_ready();
}

static void lead_and_die(void *arg)
{
	(void)arg;
	setsid();
	test_join(test_child(bear_and_die, "below"));
	note("above", test_child(member, (void *)(intptr_t)getpid()));
	test_child_ready();
	while (access(test_path("adopted"), F_OK))
		test_nap(1);
}

/* Adopts the first, not the second. */
static void adopt(void *arg)
{
	(void)arg;
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t leader = test_child(lead_and_die, NULL);

	must(prctl(PR_SET_CHILD_SUBREAPER, 0));
	must(mkdir(test_path("adopted"), 0755));
	test_join(leader);
	test_child_ready();
	test_wait();
	test_join(noted("below"));
}

static void lead(void *arg)
{
	(void)arg;
	setsid();
	test_join(test_child(bear_and_die, "led"));
	test_child_ready();
	test_wait();
	expect(getsid(0) == getpid(), "the leader is in session %d", getsid(0));
}

static void have_leader(void *arg)
{
	note(arg, test_child(lead, NULL));
	test_child_ready();
	while (access(test_path("handed-up"), F_OK))
		test_nap(1);
}

/* Adopts the member, not the leader. */
static void adopt_member(void *arg)
{
	(void)arg;
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t between = test_child(have_leader, "leader");

	must(prctl(PR_SET_CHILD_SUBREAPER, 0));
	must(mkdir(test_path("handed-up"), 0755));
	test_join(between);
	test_child_ready();
	test_wait();
	test_join(noted("led"));
}

void test_setup(void)
{
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	adopting[0] = test_child(adopt, NULL);
	adopting[1] = test_child(adopt_member, NULL);
	expect(getsid(noted("above")) == getsid(noted("below")) && getsid(noted("led")) == noted("leader"), "set-up: the sessions");
}

void test_break(void)
{
}

void test_check(void)
{
	test_join(noted("above"));
	test_join(noted("leader"));
	test_join(adopting[0]);
	test_join(adopting[1]);
}
