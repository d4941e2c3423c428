/* SPDX-License-Identifier: MIT */
/*
 * SME of aarch64 in use: a row of register ZA, which outlasts system calls, is the main thread's; or another thread spins in
 * streaming mode.
 * modes: refuse
 * arguments: za streaming
 */
#include "testlib.h"
#include "z7.h"

#if defined(__aarch64__)

#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SME ".arch armv9-a+sme\n"
enum { GET_LENGTH = 64 };

static bool in_za;
static uint8_t row[256], row_now[256];
static volatile int streams, go, differs;
static pthread_t streaming;

/* Z7 keeps its values. */
static void *stream(void *arg)
{
	differs |= !HOLD_Z7_STREAMING(&streams, &go);
	return arg;
}

void test_setup(void)
{
	if (!(getauxval(AT_HWCAP2) >> 23 & 1))
		test_skip("this processor has no SME");
	in_za = !strcmp(test_argument(), "za");
	test_check_is_blind();
	if (in_za) {
		fill_pattern(row, sizeof row, 603);
		__asm__ volatile(SME "smstart za\n\tmov w12, #3\n\tldr za[w12, 0], [%0]" : : "r"(row) : "w12", "memory");
		test_expect_message("pid %d (sme): thread %d: register ZA", getpid(), getpid());
		return;
	}
	streaming = test_thread(stream, NULL);
	while (!streams)
		test_nap(1);
	test_expect_message("pid %d (sme): thread ", getpid());
}

void test_break(void)
{
	row[3]++;
	differs = 1;
}

void test_check(void)
{
	const size_t bytes = (size_t)must(prctl(GET_LENGTH, 0, 0, 0, 0)) & 0xffff;

	if (in_za) {
		__asm__ volatile(SME "mov w12, #3\n\tstr za[w12, 0], [%0]" : : "r"(row_now) : "w12", "memory");
		expect(!memcmp(row, row_now, bytes), "a row of ZA differs");
		return;
	}
	go = 1;
	pthread_join(streaming, NULL);
	expect(!differs, "streaming vectors differ");
}

#else

TEST_SKIPPED("this program knows SME, of aarch64")

#endif
