/* SPDX-License-Identifier: MIT */
/* Two thousand mappings. */
#include "testlib.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PIECES = 2000 };

static size_t page;
static char *area;

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	area = must(mmap(NULL, PIECES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < PIECES; i++) {
		*(int *)(area + i * page + 64) = i + 1;
		if (i % 2)
			must(mprotect(area + i * page, page, PROT_READ));
	}
}

void test_break(void)
{
	*(int *)(area + 1000 * page + 64) = 0;
}

void test_check(void)
{
	for (int i = 0; i < PIECES; i++) {
		int *number = (int *)(area + i * page + 64);

		expect(*number == i + 1, "page %d holds %d", i, *number);
	}
}
