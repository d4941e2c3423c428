/* SPDX-License-Identifier: MIT */
/*
 * Memory that the kernel may empty at any time (MAP_DROPPABLE, Linux 6.11), where the C library keeps random numbers to come:
 * it is emptied, so that they do not come twice, and stays what it was, for a child that has inherited it, too.
 * modes: once cycles
 */
#include "testlib.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif

enum { SIZE = 65536 };

static char *area;
static pid_t child;

static bool is_droppable(void)
{
	FILE *smaps = must(fopen("/proc/self/smaps", "re") ?: (void *)-1);
	char line[512];
	bool inside = false, found = false;

	while (fgets(line, sizeof line, smaps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (uintptr_t)area && (uintptr_t)area < end;
		found |= inside && !strncmp(line, "VmFlags:", 8) && strstr(line, " dp");
	}
	fclose(smaps);
	return found;
}

static void expect_dropped(const char *whose)
{
	expect_zero(whose, area, SIZE);
	expect(is_droppable(), "%s: it would not be dropped any more", whose);
	fill_pattern(area, SIZE, 77);
	expect_pattern(whose, area, SIZE, 77);
}

static void inherit(void *arg)
{
	(void)arg;
	fill_pattern(area, SIZE, 42);
	test_child_ready();
	test_wait();
	expect_dropped("the child's");
}

void test_setup(void)
{
	area = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		test_skip("this kernel has no MAP_DROPPABLE");
	fill_pattern(area, SIZE, 41);
	child = test_child(inherit, NULL);
}

void test_break(void)
{
	area[SIZE / 2] = 1;
}

void test_check(void)
{
	expect_dropped("the parent's");
	test_join(child);
}
