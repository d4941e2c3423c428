/* SPDX-License-Identifier: MIT */
/* Execution personality of each process. */
#include "testlib.h"

#include <sys/personality.h>

static const unsigned long cases[] = {ADDR_NO_RANDOMIZE, ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT, 0x0020000 /* UNAME26 */};
enum { CASES = sizeof cases / sizeof *cases };

static pid_t child[CASES];
static unsigned long own;

static void body(void *arg)
{
	unsigned long wanted = cases[(intptr_t)arg];

	must(personality(wanted));
	test_child_ready();
	test_wait();
	unsigned long now = personality(0xffffffff);

	expect(now == wanted, "the personality was %#lx and is %#lx", wanted, now);
}

void test_setup(void)
{
	own = personality(0xffffffff);
	for (intptr_t i = 0; i < CASES; i++)
		child[i] = test_child(body, (void *)i);
}

void test_break(void)
{
	personality(own ^ ADDR_NO_RANDOMIZE);
}

void test_check(void)
{
	unsigned long now = personality(0xffffffff);

	expect(now == own, "the root's personality was %#lx and is %#lx", own, now);
	for (int i = 0; i < CASES; i++)
		test_join(child[i]);
}
