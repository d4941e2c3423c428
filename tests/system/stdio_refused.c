/* SPDX-License-Identifier: MIT */
/*
 * A standard stream that leads outside is refused, and named, as long as nobody asks for --inherit-stdio.
 * modes: refuse-stdio
 */
#include "testlib.h"

#include <unistd.h>

void test_setup(void)
{
	test_expect_message("pid %d (stdio_refused)", getpid());
	test_expect_message("fd 1:");
}

void test_break(void)
{
	close(1);
}

void test_check(void)
{
	expect(write(1, "still here\n", 11) == 11, "standard output: errno %d", errno);
}
