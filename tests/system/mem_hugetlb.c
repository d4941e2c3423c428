/* SPDX-License-Identifier: MIT */
/* Areas of explicit huge pages stay that. The kernel is asked for surplus pages while the test runs. */
#include "selfview.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_HUGETLB
#define MAP_HUGETLB 0x40000
#endif

static const char surplus[] = "/proc/sys/vm/nr_overcommit_hugepages";
static char *private, *shared;
static size_t size;
static long earlier;

static size_t huge_page_size(void)
{
	char text[8192];

	file_content("/proc/meminfo", text, sizeof text);
	char *at = strstr(text, "Hugepagesize:");

	return at ? strtoul(at + 13, NULL, 10) * 1024 : 0;
}

static void allow_surplus(long pages)
{
	int fd = open(surplus, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "%ld", pages);
		close(fd);
	}
}

void test_setup(void)
{
	char text[64];

	size = huge_page_size();
	if (!size)
		test_skip("this kernel has no huge pages");
	file_content(surplus, text, sizeof text);
	earlier = atol(text);
	allow_surplus(earlier + 8);
	private = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (private == MAP_FAILED || shared == MAP_FAILED) {
		allow_surplus(earlier);
		test_skip("no huge page can be had here");
	}
	fill_pattern(private, size, 96);
	fill_pattern(shared, 65536, 97);
}

void test_break(void)
{
	private[4711] ^= 1;
}

void test_check(void)
{
	char flags[256];

	allow_surplus(earlier);
	expect_pattern("private huge page", private, size, 96);
	expect_zero("untouched huge page", private + size, 65536);
	expect_pattern("shared huge page", shared, 65536, 97);
	mapping_flags(private, flags, sizeof flags);
	expect(strstr(flags, " ht "), "no huge pages any more: flags are%s", flags);
	expect(mapping_value(private, "KernelPageSize") == (long)(size / 1024), "page size is %ld KiB",
	       mapping_value(private, "KernelPageSize"));
}
