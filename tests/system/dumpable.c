/* SPDX-License-Identifier: MIT */
/* The dumpable attribute: cleared by the program in one child, by a change of user in another. */
#include "testlib.h"

#include <sys/prctl.h>
#include <unistd.h>

static pid_t child[2];

static void body(void *arg)
{
	if (arg)
		must(setresuid(1600, 1600, 1600));
	else
		must(prctl(PR_SET_DUMPABLE, 0));
	int before = prctl(PR_GET_DUMPABLE);

	test_child_ready();
	test_wait();
	expect(prctl(PR_GET_DUMPABLE) == before, "dumpable was %d and is %d", before, prctl(PR_GET_DUMPABLE));
}

void test_setup(void)
{
	for (intptr_t i = 0; i < 2; i++)
		child[i] = test_child(body, (void *)i);
}

void test_break(void)
{
	must(prctl(PR_SET_DUMPABLE, 0));
}

void test_check(void)
{
	expect(prctl(PR_GET_DUMPABLE) == 1, "the root's dumpable is %d", prctl(PR_GET_DUMPABLE));
	for (int i = 0; i < 2; i++)
		test_join(child[i]);
}
