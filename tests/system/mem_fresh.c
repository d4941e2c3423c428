/* SPDX-License-Identifier: MIT */
/*
 * Large mappings, which a restore fills in its own way: full ones, ones with holes, ones that may only be read or not even that,
 * a child's that lies where its parent has one, too, but shares nothing with it, and one that shares some of its pages.
 */
#include "testlib.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MIB = 1 << 20, AREAS = 5 };

static struct {
	int protection;
	size_t from, to, step;	/* pages from..to, each step-th; the others are never touched */
	char *at;
} area[AREAS] = {
	{PROT_READ | PROT_WRITE, 0, 512, 1, NULL},
	{PROT_READ | PROT_WRITE, 3, 500, 7, NULL},
	{PROT_READ, 100, 300, 1, NULL},
	{PROT_NONE, 0, 256, 2, NULL},
	{PROT_READ | PROT_EXEC, 511, 512, 1, NULL},
};
enum { PAGES = 512 };

static size_t page;
static char *own, *partly;
static pid_t child;

static void fill(int i)
{
	for (size_t k = area[i].from; k < area[i].to; k += area[i].step)
		fill_pattern(area[i].at + k * page, page, 1000 * i + k);
}

static void check(int i)
{
	must(mprotect(area[i].at, PAGES * page, PROT_READ));
	for (size_t k = 0; k < PAGES; k++) {
		char *at = area[i].at + k * page;

		if (k >= area[i].from && k < area[i].to && (k - area[i].from) % area[i].step == 0)
			expect_pattern("a page that was written", at, page, 1000 * i + k);
		else
			expect_zero("a page that was not", at, page);
	}
}

/* At the place of what its parent has: every page another one, or none. */
static void have_own(void *arg)
{
	(void)arg;
	must(madvise(own, 2 * MIB, MADV_DONTNEED));
	fill_pattern(own + MIB / 2, MIB, 77);
	must(madvise(partly, MIB / 4, MADV_DONTNEED));
	memset(partly + MIB / 4, 0, MIB / 4);
	fill_pattern(partly + MIB / 2, MIB / 4, 88);
	test_child_ready();
	test_wait();
	if (test_breaking())
		own[MIB]++;
	expect_zero("before the child's", own, MIB / 2);
	expect_pattern("the child's", own + MIB / 2, MIB, 77);
	expect_zero("behind the child's", own + MIB / 2 + MIB, MIB / 2);
	expect_zero("what the child has dropped", partly, MIB / 4);
	expect_zero("what the child has made zeros", partly + MIB / 4, MIB / 4);
	expect_pattern("what the child has written", partly + MIB / 2, MIB / 4, 88);
	expect_pattern("what the child shares", partly + 3 * MIB / 4, MIB / 4, 66);
}

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	own = must(mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	fill_pattern(own, 2 * MIB, 55);
	partly = must(mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < 3; i++)
		fill_pattern(partly + i * MIB / 4, MIB / 4, 56 + i);
	fill_pattern(partly + 3 * MIB / 4, MIB / 4, 66);
	child = test_child(have_own, NULL);
	for (int i = 0; i < AREAS; i++) {
		area[i].at = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		fill(i);
		must(mprotect(area[i].at, PAGES * page, area[i].protection));
	}
}

void test_break(void)
{
	area[0].at[5 * page]++;
}

void test_check(void)
{
	for (int i = 0; i < AREAS; i++)
		check(i);
	expect_pattern("the parent's", own, 2 * MIB, 55);
	for (int i = 0; i < 3; i++)
		expect_pattern("the parent's of what is shared in part", partly + i * MIB / 4, MIB / 4, 56 + i);
	test_join(child);
}
