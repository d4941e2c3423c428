/* SPDX-License-Identifier: MIT */
/*
 * mlockall(MCL_CURRENT | MCL_FUTURE): what is mapped after the restore is locked too.  So is what no memory can be had for: below
 * the stacks of threads, and behind the end of files.
 */
#include "selfview.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *before, *guard, *behind;

void test_setup(void)
{
	before = must(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	guard = must(mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int fd = must(open(test_path("short"), O_RDWR | O_CREAT | O_CLOEXEC, 0600));

	must(write(fd, "short", 5));
	behind = must(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	must(close(fd));
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
	mapping_flags(guard, flags, sizeof flags);
	expect(strstr(flags, " lo ") && !strstr(flags, " lf "), "the guard is not locked:%s", flags);
	mapping_flags(behind, flags, sizeof flags);
	expect(strstr(flags, " lo ") && !strstr(flags, " lf ") && !strcmp(behind, "short"), "the file is not locked:%s", flags);
	mapping_flags(after, flags, sizeof flags);
	expect(strstr(flags, " lo "), "MCL_FUTURE is lost, a new mapping has:%s", flags);
}
