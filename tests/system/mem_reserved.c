/* SPDX-License-Identifier: MIT */
/*
 * Addresses that are reserved (PROT_NONE), more of them than the machine has memory, as Go, Java and V8 do: they come back, in a
 * child that has inherited them, too, with what was put to use of them, and nothing is set aside for the rest; all of it locked, too.
 * arguments: plain locked
 */
#include "testlib.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { PART = 1 << 20 };

static char *area, *in_use, *given_up;
static size_t size;
static pid_t child;

static void expect_reserved(const char *whose)
{
	int end[2];

	must(pipe(end));
	expect(write(end[1], area, 1) == -1 && errno == EFAULT, "%s reserved addresses can be read", whose);
	expect(write(end[1], given_up, 1) == -1 && errno == EFAULT, "%s pages that were given up can be read", whose);
	close(end[0]);
	close(end[1]);
	expect_pattern(whose, in_use, PART, 51);
	must(mprotect(given_up, PART, PROT_READ));
	expect_pattern(whose, given_up, PART, 52);
	must(mprotect(given_up, PART, PROT_NONE));
	must(mprotect(area, PART, PROT_READ | PROT_WRITE));
	expect_zero(whose, area, PART);
	must(mprotect(area, PART, PROT_NONE));
}

static void inherit(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
	expect_reserved("the child's");
}

void test_setup(void)
{
	struct sysinfo machine;
	uint64_t wanted;

	must(sysinfo(&machine));
	wanted = 2 * (uint64_t)(machine.totalram + machine.totalswap) * machine.mem_unit;
	size = (size_t)(wanted & ~(uint64_t)(PART - 1));
	area = wanted > SIZE_MAX ? MAP_FAILED : mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		test_skip("not so many addresses are to be had");
	in_use = area + size - 16 * (size_t)PART;	/* what is left before it is still more than there is */
	given_up = in_use + 4 * PART;
	must(mprotect(in_use, PART, PROT_READ | PROT_WRITE));
	must(mprotect(given_up, PART, PROT_READ | PROT_WRITE));
	fill_pattern(in_use, PART, 51);
	fill_pattern(given_up, PART, 52);
	must(mprotect(given_up, PART, PROT_NONE));
	if (!strcmp(test_argument(), "locked") && mlockall(MCL_CURRENT | MCL_FUTURE))
		test_skip("so much may not be locked");
	child = test_child(inherit, NULL);
}

void test_break(void)
{
	in_use[77]++;
}

void test_check(void)
{
	expect_reserved("the parent's");
	test_join(child);
}
