/* SPDX-License-Identifier: MIT */
/*
 * Pointer authentication of aarch64: a thread spins, and the main thread sleeps, inside functions whose return addresses are
 * signed; all keys sign the same value to the same, and the settings of prctl(2) stay.
 */
#include "testlib.h"

#if defined(__aarch64__)

#include <sys/auxv.h>
#include <sys/prctl.h>

#ifndef PR_PAC_SET_ENABLED_KEYS
#define PR_PAC_SET_ENABLED_KEYS 60
#define PR_PAC_GET_ENABLED_KEYS 61
#endif
enum { APDB = 1 << 3 /* PR_PAC_APDBKEY */, TAGGED = 1 /* PR_TAGGED_ADDR_ENABLE */ };

struct signed_values {
	uint64_t value[5];
};

void sign(struct signed_values *, uint64_t what);
void signed_spin(const volatile uint64_t *go);
void signed_call(void (*body)(void));

__asm__(
	"	.arch armv8.3-a\n"
	"	.text\n"
	"	.global sign, signed_spin, signed_call\n"
	"sign:	mov x2, #42\n"
	"	mov x3, x1\n"
	"	pacia x3, x2\n"
	"	str x3, [x0]\n"
	"	mov x3, x1\n"
	"	pacib x3, x2\n"
	"	str x3, [x0, #8]\n"
	"	mov x3, x1\n"
	"	pacda x3, x2\n"
	"	str x3, [x0, #16]\n"
	"	mov x3, x1\n"
	"	pacdb x3, x2\n"
	"	str x3, [x0, #24]\n"
	"	pacga x3, x1, x2\n"
	"	str x3, [x0, #32]\n"
	"	ret\n"
	/* the signed address is in a register in one, on the stack in the other; with the instructions of PAuth authentication
	   of a false one faults, at the latest when it is jumped to */
	"signed_spin:\n"
	"	paciasp\n"
	"1:	ldr x1, [x0]\n"
	"	cbz x1, 1b\n"
	"	retaa\n"
	"signed_call:\n"
	"	paciasp\n"
	"	stp x29, x30, [sp, #-16]!\n"
	"	mov x29, sp\n"
	"	blr x0\n"
	"	ldp x29, x30, [sp], #16\n"
	"	retaa\n");

/* A signature has but a few bits, so several. */
enum { TIMES = 8 };
static struct signed_values before[TIMES], after[TIMES];
static volatile uint64_t go;
static pthread_t spinner;
static int keys;

static void sign_all(struct signed_values *all)
{
	for (unsigned i = 0; i < TIMES; i++)
		sign(&all[i], 0x1230000 + i * 0x10000);
}

static void *spins(void *arg)
{
	signed_spin(&go);
	return arg;
}

void test_setup(void)
{
	if (!(getauxval(AT_HWCAP) >> 30 & 1))
		test_skip("this processor has no pointer authentication");
	/* a part of the keys, so that not all is as it was at the start; not APIA, which this program needs */
	prctl(PR_PAC_SET_ENABLED_KEYS, APDB, 0, 0, 0);
	keys = prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0);
	sign_all(before);
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, TAGGED, 0, 0, 0));
	spinner = test_thread(spins, NULL);
}

void test_hold(void)
{
	signed_call(test_wait);
}

void test_break(void)
{
	before[3].value[2] ^= 1ULL << 60;
}

void test_check(void)
{
	go = 1;
	pthread_join(spinner, NULL);
	sign_all(after);
	for (int i = 0; i < 5 * TIMES; i++)
		expect(before[i / 5].value[i % 5] == after[i / 5].value[i % 5],
		       "key %d (IA, IB, DA, DB, GA) signed %#llx and signs %#llx", i % 5,
		       (unsigned long long)before[i / 5].value[i % 5], (unsigned long long)after[i / 5].value[i % 5]);
	expect(prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0) == keys, "enabled keys were %#x and are %#x", keys,
	       prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0));
	expect(prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0) == TAGGED, "tagged addresses were allowed and are not");
}

#else

TEST_SKIPPED("this program knows the pointer authentication of aarch64")

#endif
