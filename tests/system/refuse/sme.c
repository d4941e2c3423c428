/* SPDX-License-Identifier: MIT */
/*
 * SME of aarch64 in use: a row of register ZA, which outlasts system calls, is the main thread's; or another thread spins in
 * streaming mode.
 * modes: refuse
 * arguments: za streaming
 */
#include "testlib.h"

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
	uint64_t same;

	__asm__ volatile(SME
			 "	smstart sm\n"
			 "	index z7.d, #3, #5\n"
			 "	str %w[one], [%[ready]]\n"
			 "1:	ldr w9, [%[go]]\n"
			 "	cbz w9, 1b\n"
			 "	index z6.d, #3, #5\n"
			 "	ptrue p0.d\n"
			 "	cmpeq p0.d, p0/z, z6.d, z7.d\n"
			 "	cntp %[same], p0, p0.d\n"
			 "	cntd x9\n"
			 "	cmp %[same], x9\n"
			 "	cset %[same], eq\n"
			 "	smstop sm\n"
			 : [same] "=&r"(same)
			 : [ready] "r"(&streams), [go] "r"(&go), [one] "r"(1)
			 : "x9", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
			   "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
			   "v30", "v31");
	differs |= !same;
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
