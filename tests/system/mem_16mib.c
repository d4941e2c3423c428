/* SPDX-License-Identifier: MIT */
/*
 * As much memory as leaves little on a machine with 32 MiB: saved and restored with what is left.
 * modes: small
 */
#include "testlib.h"

#include <sys/mman.h>

enum { SIZE = 16 << 20 };

static char *area;

void test_setup(void)
{
	area = must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	fill_pattern(area, SIZE, 16);
}

void test_break(void)
{
	area[SIZE / 2] ^= 1;
}

void test_check(void)
{
	expect_pattern("the memory", area, SIZE, 16);
}
