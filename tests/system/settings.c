/* SPDX-License-Identifier: MIT */
/*
 * What a thread or its process has set by a call that asks for it as well: the main thread one thing, another thread the other.
 * arguments: tsc bypass branches l1d mce merge thp slice cpuid tags keepcaps
 */
#include "testlib.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_arch_prctl
#define SYS_arch_prctl (-1)
#endif

/* In the place of an argument: a word that the kernel writes. */
enum { WORD = 0x7fff };

static const struct setting {
	const char *name;
	bool arch, whole;	/* arch_prctl(2); of the process, not of a thread */
	long ask[3];
	long set[2][4];		/* of the main thread, of the other one */
	long value[2];
} settings[] = {
	{ "tsc", false, false, { 25, WORD }, { { 26, 2 }, { 26, 1 } }, { 2, 1 } },
	{ "bypass", false, false, { 52, 0 }, { { 53, 0, 4 }, { 53, 0, 2 } }, { 5, 3 } },
	{ "branches", false, false, { 52, 1 }, { { 53, 1, 4 }, { 53, 1, 2 } }, { 5, 3 } },
	{ "l1d", false, false, { 52, 2 }, { { 53, 2, 2 }, { 53, 2, 4 } }, { 3, 5 } },
	{ "mce", false, false, { 34 }, { { 33, 1, 1 }, { 33, 1, 0 } }, { 1, 0 } },
	{ "merge", false, true, { 68 }, { { 67, 1 } }, { 1 } },
	{ "thp", false, true, { 42 }, { { 41, 1, 2 } }, { 3 } },
	{ "slice", false, false, { 79, 1 }, { { 79, 2, 1 }, { 79, 2, 0 } }, { 1, 0 } },
	{ "cpuid", true, false, { 0x1011 }, { { 0x1012, 0 }, { 0x1012, 1 } }, { 0, 1 } },
	{ "tags", false, false, { 56 }, { { 55, 7 << 24 | 1 }, { 55, 0 } }, { 7 << 24 | 1, 0 } },
	{ "keepcaps", false, false, { PR_GET_KEEPCAPS }, { { PR_SET_KEEPCAPS, 1 }, { PR_SET_KEEPCAPS, 0 } }, { 1, 0 } },
};

static const struct setting *of;
static pthread_t thread;
static volatile int ready;

static long call(const long arg[4])
{
	return syscall(of->arch ? SYS_arch_prctl : SYS_prctl, arg[0], arg[1], arg[2], arg[3], 0);
}

static long ask(void)
{
	long word = 0, arg[4] = { of->ask[0], of->ask[1] == WORD ? (long)&word : of->ask[1] };
	long result = call(arg);

	return result ? result : word;
}

static void expect_value(const char *who, long value)
{
	long now = ask();

	expect(now == value, "%s: it was %#lx and is %#lx", who, value, now);
}

static void *body(void *arg)
{
	must(call(of->set[1]));
	expect_value("set-up: thread", of->value[1]);
	ready = 1;
	test_wait();
	expect_value("thread", of->value[1]);
	return arg;
}

void test_setup(void)
{
	for (of = settings; strcmp(of->name, test_argument());)
		of++;
	if (of->arch && SYS_arch_prctl < 0) /* on ARM number -1 is a call, too, and ends the program */
		test_skip("this is no x86");
	if (ask() < 0 || call(of->set[0]))
		test_skip("it cannot be set here (errno %d)", errno);
	if (ask() != of->value[0])
		test_skip("set to %#lx it is %#lx", of->value[0], ask());
	if (of->whole)
		return;
	thread = test_thread(body, NULL);
	while (!ready)
		test_nap(1);
}

void test_break(void)
{
	if (of->whole)
		must(call((long[4]){ of->set[0][0] }));
	else
		must(call(of->set[1]));
}

void test_check(void)
{
	expect_value("main thread", of->value[0]);
	if (!of->whole)
		pthread_join(thread, NULL);
}
