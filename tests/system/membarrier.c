/* SPDX-License-Identifier: MIT */
/*
 * Registrations for membarrier(2): each of four children has another one, and the root none.  Before Linux 6.3 the kernel does
 * not tell, but who is not registered is refused; whether one is registered for all processes' commands nobody can see there.
 */
#include "testlib.h"

#include <sys/syscall.h>
#include <unistd.h>

/* linux/membarrier.h, as bits */
enum { REGISTER_GLOBAL = 1 << 2, PRIVATE = 1 << 3, SYNC_CORE = 1 << 5, RSEQ = 1 << 7, GET_REGISTRATIONS = 1 << 9 };

static const long registering[] = { REGISTER_GLOBAL, PRIVATE << 1, SYNC_CORE << 1, RSEQ << 1 };
enum { CHILDREN = sizeof registering / sizeof *registering };

/* What works, and what the kernel tells. */
struct view {
	long works, told;
};

static struct view root_before;
static pid_t child[CHILDREN];

static long membarrier(long command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static struct view see(void)
{
	struct view view = { 0, membarrier(GET_REGISTRATIONS) };

	for (long command = PRIVATE; command <= RSEQ; command <<= 2)
		if (membarrier(command) == 0)
			view.works |= command;
	return view;
}

static void expect_same(const char *whose, const struct view *before)
{
	const struct view now = see();

	expect(now.works == before->works, "%s commands that work were %#lx and are %#lx", whose, before->works, now.works);
	expect(now.told == before->told, "%s registrations were %#lx and are %#lx", whose, before->told, now.told);
}

static void body(void *arg)
{
	const long command = registering[(intptr_t)arg];
	struct view before;

	if (membarrier(command) == 0 && command != REGISTER_GLOBAL)
		expect(membarrier(command >> 1) == 0, "set-up: registered by %#lx, and refused", command);
	before = see();
	test_child_ready();
	test_wait();
	if (test_breaking() && command == SYNC_CORE << 1)
		membarrier(PRIVATE << 1);
	expect_same("a child's", &before);
}

void test_setup(void)
{
	if (membarrier(0) < 0)
		test_skip("this kernel has no membarrier(2)");
	for (intptr_t i = 0; i < CHILDREN; i++)
		child[i] = test_child(body, (void *)i);
	root_before = see();
}

void test_break(void)
{
}

void test_check(void)
{
	expect_same("the root's", &root_before);
	for (int i = 0; i < CHILDREN; i++)
		test_join(child[i]);
}
