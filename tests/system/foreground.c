/* SPDX-License-Identifier: MIT */
/*
 * Restore in the foreground ends with the tree's exit status; without save and restore the program ends with 0.
 * modes: foreground
 */
#include "testlib.h"

#include <unistd.h>

static pid_t self;

void test_setup(void)
{
	self = getpid();
}

void test_break(void)
{
	self++;
}

void test_check(void)
{
	expect(getpid() == self, "pid %d became %d", self, getpid());
	if (access(test_path("image/img"), F_OK) == 0)
		test_pass_with(7);
}
