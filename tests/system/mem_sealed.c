/* SPDX-License-Identifier: MIT */
/* Sealed mappings (mseal, Linux 6.10) are sealed again, and so is what a child inherited of them; what it made unsealed is not. */
#include "testlib.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SYS_mseal_number = 462, SIZE = 65536 };

static char *area, *constant, *open_area;
static bool spoiled;
static pid_t child;

static bool is_sealed(char *address)
{
	return munmap(address, SIZE) == -1 && errno == EPERM && mprotect(address, SIZE, PROT_NONE) == -1 && errno == EPERM;
}

static void inherit(void *arg)
{
	(void)arg;
	area[SIZE / 2] = 'c';
	must(munmap(open_area, SIZE));
	test_child_ready();
	test_wait();
	expect(area[SIZE / 2] == 'c', "the child's sealed area has lost what was written to it");
	expect_pattern("the child's sealed constants", constant, SIZE, 722);
	expect(is_sealed(area) && is_sealed(constant), "a seal of the child is broken");
}

static char *new_area(int seed)
{
	char *address = must(mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	fill_pattern(address, SIZE, seed);
	return address;
}

void test_setup(void)
{
	area = new_area(721);
	constant = new_area(722);
	open_area = new_area(723);
	must(mprotect(constant, SIZE, PROT_READ));
	if (syscall(SYS_mseal_number, area, SIZE, 0) || syscall(SYS_mseal_number, constant, SIZE, 0))
		test_skip("this kernel seals no mappings");
	child = test_child(inherit, NULL);
}

void test_break(void)
{
	area[77]++;
	spoiled = true;
}

void test_check(void)
{
	expect_pattern("sealed area", area, SIZE, 721);
	expect_pattern("sealed constants", constant, SIZE, 722);
	expect(is_sealed(area) && is_sealed(constant) && !spoiled, "a seal is broken");
	must(munmap(open_area, SIZE));
	test_join(child);
}
