/* SPDX-License-Identifier: MIT */
/* Private anonymous memory: content, pages of zeros, pages never touched, and holes that stay holes. */
#include "testlib.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECES = 16, PAGES = 32 };

static size_t page;
static char *area[PIECES];

static int residency(const void *address)
{
	unsigned char there = 0;

	return mincore((void *)(uintptr_t)address, page, &there);
}

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	for (int i = 0; i < PIECES; i++) {
		area[i] = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		fill_pattern(area[i], 4 * page, i);            /* content */
		memset(area[i] + 4 * page, 0, 2 * page);       /* touched, but zero */
		fill_pattern(area[i] + 12 * page, page, i);    /* pages 6..11 never touched */
		area[i][20 * page + 17] = 'x';                 /* one byte in a page */
		must(munmap(area[i] + 24 * page, 4 * page));   /* a hole in the mapping */
		fill_pattern(area[i] + 28 * page, 4 * page, 100 + i);
	}
}

void test_break(void)
{
	area[7][30 * page + 5] ^= 1;
}

void test_check(void)
{
	for (int i = 0; i < PIECES; i++) {
		expect_pattern("first pages", area[i], 4 * page, i);
		expect_zero("zero pages", area[i] + 4 * page, 8 * page);
		expect_pattern("lone page", area[i] + 12 * page, page, i);
		expect_zero("untouched pages", area[i] + 13 * page, 7 * page);
		expect(area[i][20 * page + 17] == 'x', "single byte lost in piece %d", i);
		area[i][20 * page + 17] = 0;
		expect_zero("page of the single byte", area[i] + 20 * page, 4 * page);
		expect(residency(area[i] + 25 * page) == -1 && errno == ENOMEM, "the hole of piece %d is mapped", i);
		expect_pattern("pages behind the hole", area[i] + 28 * page, 4 * page, 100 + i);
	}
}
