/* SPDX-License-Identifier: MIT */
/* Shared anonymous memory stays shared: between parent and child, at two addresses of one process, and with a piece of
 * it mapped alone. */
#include "testlib.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 64 };

static size_t page;
static volatile char *area, *second, *piece;
static pid_t child;

static void echo(void *arg)
{
	(void)arg;
	test_child_ready();
	while (area[0] != 'Q')
		test_nap(1);
	expect_pattern("child's view", (char *)area + page, 8 * page, 11);
	area[1] = 'A';
	second[40 * page] = 'B';
}

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	area = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	/* An old size of zero duplicates a shared mapping. */
	second = must(mremap((void *)area, 0, PAGES * page, MREMAP_MAYMOVE));
	piece = must(mremap((void *)(area + 16 * page), 0, 4 * page, MREMAP_MAYMOVE));
	fill_pattern((char *)area + page, 8 * page, 11);
	fill_pattern((char *)area + 16 * page, page, 12);
	child = test_child(echo, NULL);
}

void test_break(void)
{
	must(mmap((void *)second, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

void test_check(void)
{
	expect_pattern("first view", (char *)area + page, 8 * page, 11);
	expect_pattern("second view", (char *)second + page, 8 * page, 11);
	expect_pattern("piece", (char *)piece, page, 12);
	expect_zero("untouched part", (char *)second + 50 * page, 4 * page);
	second[0] = 'Q';
	test_join(child);
	expect(area[1] == 'A' && second[1] == 'A', "the child's write through the first view is missing");
	expect(area[40 * page] == 'B', "the child's write through the second view is missing");
	piece[3 * page + 5] = 'C';
	expect(area[19 * page + 5] == 'C', "the piece is no part of the whole any more");
}
