/* SPDX-License-Identifier: MIT */
/* A process group whose leader has gone over to another one, while its members stay. */
#include "testlib.h"

#include <sys/stat.h>
#include <unistd.h>

static pid_t leader, member;

static void lead(void *arg)
{
	pid_t mine = getpgid(0);

	(void)arg;
	must(setpgid(0, 0));
	test_child_ready();
	while (access(test_path("leader-leaves"), F_OK))
		test_nap(1);
	must(setpgid(0, mine));
	must(mkdir(test_path("leader-left"), 0755));
	test_wait();
	if (test_breaking())
		setpgid(0, 0);
	expect(getpgid(0) == mine, "group %d became %d", mine, getpgid(0));
}

static void belong(void *arg)
{
	pid_t group = (pid_t)(intptr_t)arg;

	must(setpgid(0, group));
	test_child_ready();
	test_wait();
	expect(getpgid(0) == group, "group %d became %d", group, getpgid(0));
}

void test_setup(void)
{
	leader = test_child(lead, NULL);
	member = test_child(belong, (void *)(intptr_t)leader);
	must(mkdir(test_path("leader-leaves"), 0755));
	while (access(test_path("leader-left"), F_OK))
		test_nap(1);
	expect(getpgid(member) == leader && getpgid(leader) != leader, "set-up: the leader did not leave its group");
}

void test_break(void)
{
}

void test_check(void)
{
	test_join(leader);
	test_join(member);
}
