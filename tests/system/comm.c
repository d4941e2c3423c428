/* SPDX-License-Identifier: MIT */
/* Names of tasks that make trouble for a parser of /proc. */
#include "testlib.h"

#include <string.h>
#include <sys/prctl.h>

static const char *const names[] = {"a) S 1 (b", "", "two\nlines", " spaces  ", "fifteen letters", "\\x41%s\x7f\xff", "((()"};
enum { NAMES = sizeof names / sizeof *names };

static pthread_t thread[NAMES];
static pid_t child;
static volatile int ready;

static void expect_name(const char *name)
{
	char now[16];

	must(prctl(PR_GET_NAME, now));
	expect(strcmp(now, name) == 0, "the name was \"%s\" and is \"%s\"", name, now);
}

static void *body(void *arg)
{
	const char *name = names[(intptr_t)arg];

	must(prctl(PR_SET_NAME, name));
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	expect_name(name);
	return arg;
}

static void in_child(void *arg)
{
	(void)arg;
	must(prctl(PR_SET_NAME, "c) R 77 1 1 ("));
	test_child_ready();
	test_wait();
	expect_name("c) R 77 1 1 (");
}

void test_setup(void)
{
	child = test_child(in_child, NULL);
	for (intptr_t i = 0; i < NAMES; i++)
		thread[i] = test_thread(body, (void *)i);
	while (ready < NAMES)
		test_nap(1);
	must(prctl(PR_SET_NAME, ") Z 0 0"));
}

void test_break(void)
{
	must(prctl(PR_SET_NAME, ") Z 0 1"));
}

void test_check(void)
{
	expect_name(") Z 0 0");
	for (int i = 0; i < NAMES; i++)
		pthread_join(thread[i], NULL);
	test_join(child);
}
