/* SPDX-License-Identifier: MIT */
/* The main stack and a MAP_GROWSDOWN mapping grow after the restore. */
#include "selfview.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page;
static char *growing, *reserve;
enum { RESERVE = 16 << 20 };

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	/* Room below, wider than the kernel's guard gap, that nothing else takes in the meantime. */
	reserve = must(mmap(NULL, RESERVE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	must(munmap(reserve, RESERVE));
	growing = must(mmap(reserve + RESERVE - 4 * page, 4 * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0));
	fill_pattern(growing, 4 * page, 41);
}

void test_break(void)
{
	must(munmap(growing, page));
	must(mmap(growing, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	fill_pattern(growing, page, 41);
}

static int __attribute__((noinline)) use_stack(int depth)
{
	volatile char frame[32768];

	memset((void *)frame, depth, sizeof frame);
	return depth == 0 ? frame[17] : use_stack(depth - 1) + (frame[100] != (char)depth);
}

void test_check(void)
{
	char flags[256];

	expect(use_stack(100) == 0, "the stack is corrupt after growing");
	expect_pattern("growing mapping", growing, 4 * page, 41);
	mapping_flags(growing, flags, sizeof flags);
	expect(strstr(flags, " gd "), "the mapping does not grow down any more:%s", flags);
	for (size_t i = 1; i <= 20; i++)
		growing[-(ssize_t)(i * page)] = 'g';
	expect_pattern("growing mapping", growing, 4 * page, 41);
}
