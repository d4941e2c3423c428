/* SPDX-License-Identifier: MIT */
/* PR_SET_THP_DISABLE holds for the process that set it. */
#include "testlib.h"

#include <sys/prctl.h>

static pid_t child;

static void body(void *arg)
{
	(void)arg;
	must(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	test_child_ready();
	test_wait();
	expect(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "the flag is lost");
}

void test_setup(void)
{
	child = test_child(body, NULL);
}

void test_break(void)
{
	must(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
}

void test_check(void)
{
	expect(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0, "the flag appeared in the root");
	test_join(child);
}
