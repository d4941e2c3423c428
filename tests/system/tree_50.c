/* SPDX-License-Identifier: MIT */
/* A tree of fifty processes: three generations, each with memory of its own. */
#include "testlib.h"

#include <stdlib.h>
#include <unistd.h>

enum { SIZE = 128 << 10 };
static const int width[] = {7, 6};

/* 7 children with 6 children each: 49 below the root. */
static void process(void *arg)
{
	int generation = (intptr_t)arg, count = generation < 2 ? width[generation] : 0;
	pid_t child[8], self = getpid(), parent = getppid();
	char *memory = malloc(SIZE);

	fill_pattern(memory, SIZE, self);
	for (int i = 0; i < count; i++)
		child[i] = test_child(process, (void *)(intptr_t)(generation + 1));
	test_child_ready();
	test_wait();
	if (test_breaking() && generation == 2)
		memory[SIZE / 2]++;
	expect(getpid() == self && getppid() == parent, "pid %d of %d became %d of %d", self, parent, getpid(), getppid());
	expect_pattern("own memory", memory, SIZE, self);
	for (int i = 0; i < count; i++)
		test_join(child[i]);
}

static pid_t top[7];

void test_setup(void)
{
	for (int i = 0; i < width[0]; i++)
		top[i] = test_child(process, (void *)1);
}

void test_break(void)
{
}

void test_check(void)
{
	for (int i = 0; i < width[0]; i++)
		test_join(top[i]);
}
