/* SPDX-License-Identifier: MIT */
/*
 * Areas of explicit huge pages stay that, and shared ones stay shared. The kernel is allowed surplus pages, which exist only
 * while somebody holds them; the allowance is not taken back, because another run of this program may be using it.
 */
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
static pid_t child;
static size_t size;

static size_t huge_page_size(void)
{
	char text[8192];

	file_content("/proc/meminfo", text, sizeof text);
	char *at = strstr(text, "Hugepagesize:");

	return at ? strtoul(at + 13, NULL, 10) * 1024 : 0;
}

static void allow_surplus(void)
{
	char text[64];

	file_content(surplus, text, sizeof text);
	int fd = atol(text) < 32 ? open(surplus, O_WRONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		dprintf(fd, "32");
		close(fd);
	}
}

/* Of the shared pages the first is the child's, the second the parent's; the third is empty until both are back. */
static void share(void *arg)
{
	(void)arg;
	fill_pattern(shared, size, 97);
	test_child_ready();
	test_wait();
	expect_zero("third shared huge page", shared + 2 * size, size);
	shared[2 * size] = 1;
	while (!shared[size])
		test_nap(1);
	expect(shared[size] == 'p', "the child finds %d in the second shared huge page", shared[size]);
	shared[size + 1] = 'c';
}

void test_setup(void)
{
	size = huge_page_size();
	if (!size)
		test_skip("this kernel has no huge pages");
	allow_surplus();
	private = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	shared = mmap(NULL, 3 * size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (private == MAP_FAILED || shared == MAP_FAILED)
		test_skip("no huge page can be had here");
	fill_pattern(private, size, 96);
	child = test_child(share, NULL);
	/* the rest is the child's alone */
	must(munmap(shared + 2 * size, size));
}

void test_break(void)
{
	private[4711] ^= 1;
}

void test_check(void)
{
	char flags[256];

	expect_pattern("private huge page", private, size, 96);
	expect_zero("untouched huge page", private + size, 65536);
	mapping_flags(private, flags, sizeof flags);
	expect(strstr(flags, " ht "), "no huge pages any more: flags are%s", flags);
	expect_pattern("shared huge page", shared, size, 97);
	mapping_flags(shared, flags, sizeof flags);
	expect(strstr(flags, " ht "), "shared, and no huge pages any more: flags are%s", flags);
	shared[size] = 'p';
	test_join(child);
	expect(shared[size + 1] == 'c', "the second huge page is not shared any more");
	expect(mapping_value(private, "KernelPageSize") == (long)(size / 1024), "page size is %ld KiB",
	       mapping_value(private, "KernelPageSize"));
}
