/* SPDX-License-Identifier: MIT */
/* A child subreaper adopts orphans after the restore as well. */
#include "testlib.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;

static void body(void *arg)
{
	int set = 0;

	(void)arg;
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	test_child_ready();
	test_wait();
	if (test_breaking())
		must(prctl(PR_SET_CHILD_SUBREAPER, 0));
	must(prctl(PR_GET_CHILD_SUBREAPER, &set));
	expect(set == 1, "no subreaper any more");
	pid_t middle = must(fork());

	if (middle == 0) {
		if (fork() == 0) {
			test_nap(10);
			_exit(0);
		}
		_exit(0);
	}
	test_join(middle);
	expect(waitpid(-1, NULL, 0) > 0, "the orphan went elsewhere");
}

void test_setup(void)
{
	child = test_child(body, NULL);
}

void test_break(void)
{
}

void test_check(void)
{
	int set = 1;

	test_join(child);
	must(prctl(PR_GET_CHILD_SUBREAPER, &set));
	expect(set == 0, "the root became a subreaper");
}
