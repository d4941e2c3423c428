/* SPDX-License-Identifier: MIT */
/* Sealed mappings (mseal, Linux 6.10) are sealed again, or refused: they cannot be changed while saving, either. */
#include "testlib.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SYS_mseal_number = 462, SIZE = 65536 };

static char *area;
static bool spoiled;

void test_setup(void)
{
	area = must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	fill_pattern(area, SIZE, 721);
	if (syscall(SYS_mseal_number, area, SIZE, 0))
		test_skip("this kernel seals no mappings");
	test_may_be_refused();
}

void test_break(void)
{
	area[77]++;
	spoiled = true;
}

void test_check(void)
{
	expect_pattern("sealed area", area, SIZE, 721);
	expect(munmap(area, SIZE) == -1 && errno == EPERM && !spoiled, "the seal is broken");
}
