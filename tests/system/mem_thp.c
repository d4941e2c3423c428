/* SPDX-License-Identifier: MIT */
/* An area that asked for transparent huge pages and got them has them after the restore. */
#include "selfview.h"

#include <string.h>
#include <sys/mman.h>

enum { HUGE = 2 << 20, SIZE = 4 * HUGE };

static char *area;
static long before;

void test_setup(void)
{
	char *start = must(mmap(NULL, SIZE + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	area = (char *)(((uintptr_t)start + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
	if (madvise(area, SIZE, MADV_HUGEPAGE))
		test_skip("this kernel has no transparent huge pages");
	fill_pattern(area, 3 * HUGE, 98);
	before = mapping_value(area, "AnonHugePages");
	if (before <= 0)
		test_skip("the kernel gave no huge page");
}

void test_break(void)
{
	must(madvise(area, SIZE, MADV_NOHUGEPAGE));
	must(madvise(area, SIZE, MADV_DONTNEED));
	fill_pattern(area, 3 * HUGE, 98);
}

void test_check(void)
{
	long now = mapping_value(area, "AnonHugePages");
	char flags[256];

	expect_pattern("huge pages", area, 3 * HUGE, 98);
	mapping_flags(area, flags, sizeof flags);
	expect(strstr(flags, " hg "), "the advice is gone:%s", flags);
	expect(now >= before, "%ld KiB were huge, now %ld", before, now);
}
