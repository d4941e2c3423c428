/* SPDX-License-Identifier: MIT */
/* Pages that lie in swap are saved and come back. */
#include "selfview.h"

#include <sys/mman.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { SIZE = 4 << 20 };

static char *area, *shared;

void test_setup(void)
{
	area = must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	shared = must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	fill_pattern(area, SIZE, 701);
	fill_pattern(shared, SIZE, 702);
	if (madvise(area, SIZE, MADV_PAGEOUT) || madvise(shared, SIZE, MADV_PAGEOUT))
		test_skip("this kernel cannot be asked to swap (MADV_PAGEOUT, errno %d)", errno);
	if (mapping_value(area, "Swap") <= 0)
		test_skip("this machine has no swap");
}

void test_break(void)
{
	area[SIZE / 2]++;
}

void test_check(void)
{
	expect_pattern("private memory", area, SIZE, 701);
	expect_pattern("shared memory", shared, SIZE, 702);
}
