/* SPDX-License-Identifier: MIT */
/* Working directory and root directory, the latter changed by chroot in a child. */
#include "testlib.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pid_t child[2];
static char where[PATH_MAX];

static void body(void *arg)
{
	char now[PATH_MAX] = "";

	must(chroot(test_path("")));
	must(chdir("/inner"));
	test_moved("/");
	if (arg) { /* a working directory outside of the root, and DIR above it */
		must(chroot("/inner/deeper"));
		test_moved("..");
	}
	test_child_ready();
	test_wait();
	if (test_breaking() && !arg)
		must(chdir("/"));
	must(access(arg ? "deeper/mark" : "/inner/deeper/mark", F_OK));
	if (!arg)
		expect(getcwd(now, sizeof now) && strcmp(now, "/inner") == 0, "the working directory is %s", now);
	expect(access(arg ? "/mark" : "deeper/mark", F_OK) == 0, "the root or working directory differs");
}

void test_setup(void)
{
	if (geteuid())
		test_skip("only root may chroot");
	must(mkdir(test_path("inner"), 0755));
	must(mkdir(test_path("inner/deeper"), 0755));
	close(must(open(test_path("inner/deeper/mark"), O_WRONLY | O_CREAT, 0644)));
	for (intptr_t i = 0; i < 2; i++)
		child[i] = test_child(body, (void *)i);
	must(chdir(test_path("inner/deeper")));
	must(getcwd(where, sizeof where) ? 0 : -1);
}

void test_break(void)
{
}

void test_check(void)
{
	char now[PATH_MAX] = "";

	must(getcwd(now, sizeof now) ? 0 : -1);
	expect(strcmp(now, where) == 0, "the working directory was %s and is %s", where, now);
	for (int i = 0; i < 2; i++)
		test_join(child[i]);
}
