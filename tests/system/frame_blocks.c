/* SPDX-License-Identifier: MIT */
/*
 * What a newer kernel has put into the signal frame of a handler that runs, and an older one would kill the program for when that
 * returns: where nothing is in it, it is taken out, else the image is refused by name.
 * modes: meanwhile
 * arguments: empty
 * arguments: unknown
 * arguments: tpidr2
 */
#include "testlib.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __aarch64__

void test_setup(void)
{
	test_skip("signal frames of this architecture have no blocks that come and go with the kernel");
}

void test_break(void)
{
}

void test_check(void)
{
}

#else

enum { TPIDR2 = 0x54504902, ZA = 0x54366345, FPMR = 0x46504d52, UNKNOWN = 0x12345601 };
static const unsigned long SME = 1UL << 23; /* HWCAP2 */

struct block {
	uint32_t magic, len;
	uint64_t content;
};

static volatile bool inside, returned;
static int64_t counted;

/* Behind those of this kernel. */
static struct block *end_of_blocks(ucontext_t *context)
{
	struct block *b = (struct block *)(void *)context->uc_mcontext.__reserved;

	while (b->magic)
		b = (struct block *)(void *)((char *)b + b->len);
	return b;
}

static void stay(int number, siginfo_t *info, void *context)
{
	static const struct block empty[] = { { FPMR, 16, 0 }, { ZA, 16, 16 }, { TPIDR2, 16, 0 } };
	static const struct block unknown = { UNKNOWN, 16, 0 }, tpidr2 = { TPIDR2, 16, 42 };
	struct block *here = end_of_blocks(context);
	size_t n = 0;

	(void)number, (void)info;
	if (!strcmp(test_argument(), "unknown"))
		here[n++] = unknown;
	else if (!strcmp(test_argument(), "tpidr2"))
		here[n++] = tpidr2;
	for (size_t i = 0; !n && i < sizeof empty / sizeof *empty; i++)
		here[i] = empty[i];
	n = n ? n : sizeof empty / sizeof *empty;
	here[n] = (struct block){ 0 };
	inside = true;
	test_wait();
	if (access(test_path("away"), F_OK)) /* nobody brought us back */
		here[0] = (struct block){ 0 };
}

static void *handle(void *arg)
{
	for (volatile int64_t i = 0; i < 1000; i++)
		counted++;
	raise(SIGUSR1);
	returned = true;
	return arg;
}

static pthread_t thread;

void test_setup(void)
{
	const struct sigaction action = { .sa_sigaction = stay, .sa_flags = SA_SIGINFO };

	if (getauxval(AT_HWCAP2) & SME)
		test_skip("this processor has what the blocks are for");
	must(sigaction(SIGUSR1, &action, NULL));
	thread = test_thread(handle, NULL);
	while (!inside)
		test_nap(1);
	if (strcmp(test_argument(), "empty")) {
		FILE *expected = fopen(test_path("expect"), "w");

		fprintf(expected, "image needs sigframe-%s, which this machine lacks\n", test_argument());
		fclose(expected);
		fclose(fopen(test_path("stays-away"), "w"));
	}
}

void test_meanwhile(void)
{
	fclose(fopen(test_path("away"), "w"));
}

void test_break(void)
{
	counted = 0;
}

void test_check(void)
{
	pthread_join(thread, NULL);
	expect(returned && counted == 1000, "the handler did not return to where it was called");
}

#endif
