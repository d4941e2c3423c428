/* SPDX-License-Identifier: MIT */
/* Mappings at odd addresses: very low, where static programs are linked, beside the vDSO, below the stack, at the top,
 * and one in every part of the address space, so that one of them is wherever the tool itself would like to be. */
#include "testlib.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_AREAS = 400 };

static size_t page;
static char *area[MAX_AREAS];
static int count;

static void place(uintptr_t address, size_t pages)
{
	address &= ~(uintptr_t)(page - 1);
	char *got = mmap((void *)address, pages * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (got == MAP_FAILED || count == MAX_AREAS)
		return;
	if (got != (char *)address) { /* before Linux 4.17 the flag is only a hint */
		munmap(got, pages * page);
		return;
	}
	fill_pattern(got, page, address);
	area[count++] = got;
}

/* Before and behind each mapping that the kernel or the loader made. */
static void place_beside_existing(void)
{
	static uintptr_t edges[256];
	int edge_count = 0;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fgets(line, sizeof line, maps) && edge_count < 254) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || strstr(line, "[vsyscall]"))
			continue;
		if (strstr(line, "[stack]"))
			start -= 1 << 20; /* room to grow within */
		if (!strstr(line, "[heap]"))
			edges[edge_count++] = end;
		edges[edge_count++] = start - page;
	}
	if (maps)
		fclose(maps);
	for (int i = 0; i < edge_count; i++)
		place(edges[i], 1);
}

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	place_beside_existing();
	place(0x1000, 1);
	place(0x10000, 2);
	for (uintptr_t address = 0x400000; address < 0x600000; address += 0x40000)
		place(address, 2);
	/* One for each power of two, and one in each 64th of what 32 and 47 bits can address. */
	for (int bit = 16; bit < (int)sizeof(uintptr_t) * 8 - 1; bit++)
		place((uintptr_t)1 << bit, 1);
	for (uintptr_t part = 1; part < 64; part++) {
		place(part << 26, 1);
		if (sizeof(uintptr_t) == 8)
			place((uintptr_t)((uint64_t)part << 41) + 0x7000 * part, 1);
	}
	if (sizeof(uintptr_t) == 8)
		for (int step = 2; step < 64; step++)
			place((uintptr_t)((UINT64_C(1) << 47) - step * page), 1);
	test_log("%d areas\n", count);
	expect(count > 20, "set-up: only %d areas", count);
}

void test_break(void)
{
	must(mprotect(area[3], page, PROT_READ | PROT_WRITE));
	area[3][100]++;
}

void test_check(void)
{
	for (int i = 0; i < count; i++)
		expect_pattern("area", area[i], page, (uintptr_t)area[i]);
}
