/* SPDX-License-Identifier: MIT */
/*
 * SME of aarch64 in use where a signal came: while the handler runs it is not, and the signal frame has what was: register ZA, and
 * vectors in streaming mode.
 * arguments: za streaming both
 */
#include "testlib.h"

#if defined(__aarch64__)

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SME ".arch armv9-a+sme\n"
enum { SET_LENGTH = 63, LENGTH = 64 };

static uint8_t row[256], row_now[256];
static volatile int ready, go, inside, left;
static bool za, streaming;
static pthread_t thread;

static void on_signal(int number)
{
	(void)number;
	inside = 1;
	while (!test_may_go())
		test_nap(10);
	left = 1;
}

/* Z7 and a row of ZA keep their values, from beginning to end of a loop that makes no call. */
static bool hold(void)
{
	uint64_t same = 1;

	if (za)
		__asm__ volatile(SME "smstart za\n\tmov w12, #3\n\tldr za[w12, 0], [%0]" : : "r"(row) : "w12", "memory");
	if (streaming)
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
				 : [ready] "r"(&ready), [go] "r"(&go), [one] "r"(1)
				 : "x9", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
				   "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
				   "v28", "v29", "v30", "v31");
	else
		for (ready = 1; !go;)
			;
	if (za)
		__asm__ volatile(SME "mov w12, #3\n\tstr za[w12, 0], [%0]\n\tsmstop za" : : "r"(row_now) : "w12", "memory");
	return same;
}

static void *body(void *arg)
{
	must(prctl(SET_LENGTH, LENGTH, 0, 0, 0));
	expect(hold(), "streaming vectors differ");
	expect(!za || !memcmp(row, row_now, LENGTH), "a row of ZA differs");
	return arg;
}

void test_setup(void)
{
	if (!(getauxval(AT_HWCAP2) >> 23 & 1))
		test_skip("this processor has no SME");
	za = strcmp(test_argument(), "streaming");
	streaming = strcmp(test_argument(), "za");
	fill_pattern(row, sizeof row, 604);
	signal(SIGUSR1, on_signal);
	thread = test_thread(body, NULL);
	while (!ready)
		test_nap(1);
	pthread_kill(thread, SIGUSR1);
	while (!inside)
		test_nap(1);
}

void test_break(void)
{
	test_fail("nothing outside spoils it");
}

void test_check(void)
{
	while (!left)
		test_nap(1);
	go = 1;
	pthread_join(thread, NULL);
}

#else

TEST_SKIPPED("this program knows SME, of aarch64")

#endif
