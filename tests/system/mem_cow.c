/* SPDX-License-Identifier: MIT */
/* Pages that forks left shared copy-on-write stay shared in memory: the tree's sum of Pss grows by 5 % at most. */
#include "selfview.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of 2 MiB less than half: otherwise khugepaged takes the rest along (max_ptes_shared, admin-guide/mm/transhuge.rst). */
enum { MIB = 1 << 20, TOTAL = 24 * MIB, CHILDREN = 4, OWN = MIB / 2 };

static char *area;
static pid_t child[CHILDREN];
static long before;

static void dirty_one_part(void *arg)
{
	intptr_t number = (intptr_t)arg;
	char *own = area + 5 * number * MIB;

	fill_pattern(own, OWN, 200 + number);
	test_child_ready();
	test_wait();
	if (test_breaking())
		fill_pattern(area + 18 * MIB, 6 * MIB, 1000 + number);
	while (access(test_path("measured"), F_OK))
		test_nap(2);
	expect_pattern("what the child wrote", own, OWN, 200 + number);
	expect_pattern("what the parent wrote", area + 22 * MIB, MIB, 22);
}

static long pss_of_tree(void)
{
	long sum = process_value(getpid(), "Pss");

	for (int i = 0; i < CHILDREN; i++)
		sum += process_value(child[i], "Pss");
	return sum;
}

void test_setup(void)
{
	area = must(mmap(NULL, TOTAL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < TOTAL / MIB; i++)
		fill_pattern(area + i * MIB, MIB, i);
	for (intptr_t i = 0; i < CHILDREN; i++)
		child[i] = test_child(dirty_one_part, (void *)i);
	before = pss_of_tree();
}

void test_break(void)
{
	test_nap(100);
}

void test_check(void)
{
	long after = pss_of_tree();

	expect(after <= before + before / 20, "Pss of the tree was %ld KiB and is %ld", before, after);
	for (int i = 0; i < TOTAL / MIB; i++)
		expect_pattern("what the parent wrote", area + i * MIB, MIB, i);
	close(must(open(test_path("measured"), O_WRONLY | O_CREAT, 0644)));
	for (int i = 0; i < CHILDREN; i++)
		test_join(child[i]);
}
