/* SPDX-License-Identifier: MIT */
/*
 * SME of aarch64 in use where a signal came: while the handler runs it is not, and the signal frame has what was: register ZA, and
 * vectors in streaming mode.
 * arguments: za streaming both
 */
#include "testlib.h"
#include "z7.h"

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
	bool same = true;

	if (za)
		__asm__ volatile(SME "smstart za\n\tmov w12, #3\n\tldr za[w12, 0], [%0]" : : "r"(row) : "w12", "memory");
	if (streaming)
		same = HOLD_Z7_STREAMING(&ready, &go);
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
