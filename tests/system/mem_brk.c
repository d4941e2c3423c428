/* SPDX-License-Identifier: MIT */
/* The program break: content, position, and room to grow and shrink. */
#include "testlib.h"

#include <sys/syscall.h>
#include <unistd.h>

enum { SIZE = 300000 };

static char *start, *end;

/* The C library may have its own idea of sbrk(); the kernel's call is what counts. */
static char *set_break(char *address)
{
	return (char *)syscall(SYS_brk, address);
}

void test_setup(void)
{
	start = set_break(NULL);
	end = set_break(start + SIZE);
	expect(end == start + SIZE, "set-up: brk moved to %p instead of %p", end, start + SIZE);
	fill_pattern(start, SIZE, 51);
}

void test_break(void)
{
	end = set_break(end - 1);
	end++;
}

void test_check(void)
{
	expect(set_break(NULL) == end, "the break was %p and is %p", end, set_break(NULL));
	expect_pattern("below the break", start, SIZE, 51);
	expect(set_break(end + 500000) == end + 500000, "the break cannot be raised");
	expect_zero("new room", end + 4096, 490000);
	fill_pattern(end, 500000, 52);
	expect_pattern("below the old break", start, SIZE, 51);
	expect(set_break(start) == start, "the break cannot be lowered");
	expect(set_break(start + 100) == start + 100, "the break cannot be raised again");
}
