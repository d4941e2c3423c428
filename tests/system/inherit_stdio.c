/* SPDX-License-Identifier: MIT */
/*
 * Standard streams that lead outside are replaced by those of restore, for parent and child.
 * modes: inherit
 */
#include "testlib.h"

#include <string.h>
#include <unistd.h>

static pid_t child;

static void body(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
	must(write(1, "child after\n", 12));
}

void test_setup(void)
{
	child = test_child(body, NULL);
	must(write(1, "before\n", 7));
}

void test_break(void)
{
	close(1);
}

void test_check(void)
{
	char text[16] = "";

	test_join(child);
	expect(write(1, "after\n", 6) == 6, "standard output: errno %d", errno);
	expect(write(2, "aftererr\n", 9) == 9, "standard error: errno %d", errno);
	if (!test_breaking() && access(test_path("image/img"), F_OK) == 0)
		expect(read(0, text, 15) == 6 && strcmp(text, "input\n") == 0, "standard input gives \"%s\"", text);
}
