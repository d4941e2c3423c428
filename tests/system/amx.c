/* SPDX-License-Identifier: MIT */
/*
 * The permission to use tiles (AMX of x86_64): a child has asked for it, the root has not.  Elsewhere both have what all
 * processes have.
 */
#include "testlib.h"

#if defined(__x86_64__)

#include <sys/syscall.h>
#include <unistd.h>

enum { GET = 0x1022, ASK = 0x1023, XTILEDATA = 18 };

static pid_t child;
static uint64_t before;

static uint64_t permissions(void)
{
	uint64_t bits = 0;

	must(syscall(SYS_arch_prctl, GET, &bits));
	return bits;
}

static void body(void *arg)
{
	uint64_t asked;

	(void)arg;
	syscall(SYS_arch_prctl, ASK, XTILEDATA);
	asked = permissions();
	test_child_ready();
	test_wait();
	expect(permissions() == asked && !test_breaking(), "a child's permissions were %#llx and are %#llx", (unsigned long long)asked,
	       (unsigned long long)permissions());
}

void test_setup(void)
{
	uint64_t bits;

	if (syscall(SYS_arch_prctl, GET, &bits))
		test_skip("this kernel knows no permissions for register state (5.16 does)");
	child = test_child(body, NULL);
	before = permissions();
}

void test_break(void)
{
}

void test_check(void)
{
	expect(permissions() == before, "permissions were %#llx and are %#llx", (unsigned long long)before,
	       (unsigned long long)permissions());
	test_join(child);
}

#else

TEST_SKIPPED("this program knows the tiles of x86_64")

#endif
