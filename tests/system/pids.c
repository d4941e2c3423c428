/* SPDX-License-Identifier: MIT */
/* Three generations keep their PIDs, parents, process groups and sessions. */
#include "testlib.h"

#include <sys/wait.h>
#include <unistd.h>

static pid_t root;

struct place {
	pid_t pid, parent, group, session;
};

static struct place own_place(void)
{
	return (struct place){getpid(), getppid(), getpgid(0), getsid(0)};
}

static void expect_place(const struct place *before)
{
	struct place now = own_place();

	expect(now.pid == before->pid && now.parent == before->parent && now.group == before->group &&
		       now.session == before->session,
	       "pid %d of parent %d in group %d, session %d became %d, %d, %d, %d", before->pid, before->parent, before->group,
	       before->session, now.pid, now.parent, now.group, now.session);
}

static void grandchild(void *arg)
{
	intptr_t kind = (intptr_t)arg;

	if (kind == 1)
		setpgid(0, 0);
	if (kind == 2)
		setsid();
	struct place place = own_place();

	test_child_ready();
	test_wait();
	if (test_breaking() && kind == 0)
		setpgid(0, 0);
	expect_place(&place);
}

static void child(void *arg)
{
	intptr_t kind = (intptr_t)arg;
	pid_t children[3];

	if (kind == 1)
		setpgid(0, 0);
	if (kind == 2)
		setsid();
	for (intptr_t i = 0; i < 3; i++)
		children[i] = test_child(grandchild, (void *)i);
	struct place place = own_place();

	test_child_ready();
	test_wait();
	expect_place(&place);
	for (int i = 0; i < 3; i++)
		test_join(children[i]);
	expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child too many");
}

static pid_t children[3];
static struct place place;

void test_setup(void)
{
	root = getpid();
	for (intptr_t i = 0; i < 3; i++)
		children[i] = test_child(child, (void *)i);
	/* Joined from outside: a group whose leader is a sibling. */
	place = own_place();
	expect(place.session == root && place.group == root, "set-up: the program is no session leader");
}

void test_break(void)
{
}

void test_check(void)
{
	place.parent = getppid();
	expect_place(&place);
	for (int i = 0; i < 3; i++)
		test_join(children[i]);
	pid_t fresh = must(fork());

	if (fresh == 0)
		_exit(getpgid(0) == root ? 0 : 1);
	test_join(fresh);
}
