/* SPDX-License-Identifier: MIT */
/* mlockall(MCL_CURRENT | MCL_FUTURE): what is mapped after the restore is locked too. */
#include "selfview.h"

#include <string.h>
#include <sys/mman.h>

static char *before;

void test_setup(void)
{
	before = must(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	must(mlockall(MCL_CURRENT | MCL_FUTURE));
	fill_pattern(before, 65536, 95);
}

void test_break(void)
{
	must(munlockall());
}

void test_check(void)
{
	char flags[256];
	char *after = must(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	mapping_flags(before, flags, sizeof flags);
	expect(strstr(flags, " lo "), "the earlier mapping is not locked:%s", flags);
	expect_pattern("earlier mapping", before, 65536, 95);
	mapping_flags(after, flags, sizeof flags);
	expect(strstr(flags, " lo "), "MCL_FUTURE is lost, a new mapping has:%s", flags);
}
