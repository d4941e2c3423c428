/* SPDX-License-Identifier: MIT */
/*
 * Code of which only landing pads may be jumped to (PROT_BTI of aarch64): a thread spins in it, and it stays such code.
 */
#include "testlib.h"

#if defined(__aarch64__)

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif

static const uint32_t code[] = {
	0xd50324df,	/* bti jc */
	0xf9400001,	/* ldr x1, [x0] */
	0xb4ffffe1,	/* cbz x1, to the one before */
	0xd65f03c0,	/* ret */
};
enum { NO_PAD = 1 };	/* not to be jumped to */

static uint32_t *page;
static volatile uint64_t go;
static pthread_t spinner;
static sigjmp_buf back;

static void on_sigill(int signal)
{
	siglongjmp(back, signal);
}

static void jump_to(const uint32_t *at)
{
	((void (*)(const volatile uint64_t *))(uintptr_t)at)(&go);
}

static void *spins(void *arg)
{
	jump_to(page);
	return arg;
}

/* Is the flag "bt" among those of the mapping? */
static bool is_guarded(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	bool ours = false, guarded = false;

	expect(f, "smaps cannot be opened");
	while (fgets(line, sizeof line, f)) {
		unsigned long long start;

		if (sscanf(line, "%llx-", &start) == 1 && strchr(line, '-') && strchr(line, '-') < line + 17)
			ours = start == (uintptr_t)page;
		else if (ours && !strncmp(line, "VmFlags:", 8))
			guarded = strstr(line, " bt") != NULL;
	}
	fclose(f);
	return guarded;
}

static bool is_refused(void)
{
	const struct sigaction action = { .sa_handler = on_sigill };
	struct sigaction old;
	volatile bool refused = true;

	must(sigaction(SIGILL, &action, &old));
	if (!sigsetjmp(back, 1)) {
		jump_to(page + NO_PAD);
		refused = false;
	}
	must(sigaction(SIGILL, &old, NULL));
	return refused;
}

void test_setup(void)
{
	if (!(getauxval(AT_HWCAP2) >> 17 & 1))
		test_skip("this processor has no landing pads (BTI)");
	page = must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	memcpy(page, code, sizeof code);
	must(mprotect(page, 4096, PROT_READ | PROT_EXEC | PROT_BTI));
	__builtin___clear_cache((char *)page, (char *)page + sizeof code);
	spinner = test_thread(spins, NULL);
	expect(is_guarded(), "set-up: the mapping has no flag bt");
}

void test_break(void)
{
	must(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

void test_check(void)
{
	go = 1;
	pthread_join(spinner, NULL);
	expect(is_guarded(), "the mapping has lost its flag bt");
	expect(is_refused(), "a jump into the middle of guarded code is not refused any more");
}

#else

TEST_SKIPPED("this program knows the landing pads of aarch64")

#endif
