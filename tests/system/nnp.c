/* SPDX-License-Identifier: MIT */
/* no_new_privs stays set where it was set, and only there. */
#include "testlib.h"

#include <sys/prctl.h>

static pid_t child;

static void body(void *arg)
{
	(void)arg;
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	test_child_ready();
	test_wait();
	expect(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs is lost");
}

void test_setup(void)
{
	child = test_child(body, NULL);
}

void test_break(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

void test_check(void)
{
	test_join(child);
	expect(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0, "no_new_privs appeared");
}
