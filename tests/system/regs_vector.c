/* SPDX-License-Identifier: MIT */
/*
 * Vector registers of any length, which no system call leaves alone: SVE of aarch64 (Z, P, FFR), and those of RISC-V.  The main
 * thread and two others hold values in all of them while they spin on a memory word, with different vector lengths where
 * that can be chosen; a fourth thread sleeps, and keeps the length.  Or those two are in a signal handler, and its frame has them.
 *
 * arguments: running handler
 */
#include "testlib.h"

#if defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64)

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SPINNERS = 3, BYTES_MAX = 256 };

struct vectors {
	volatile uint64_t go;		/* 0: the word that is polled */
	uint64_t control[3];		/* 8: vl, vtype, vcsr */
	uint64_t control_out[3];	/* 32 */
	volatile uint64_t spins;	/* 56 */
	uint8_t z[32 * BYTES_MAX];	/* 64 */
	uint8_t z_out[32 * BYTES_MAX];	/* 8256 */
	uint8_t p[17 * BYTES_MAX / 8];	/* 16448: P0 to P15, FFR */
	uint8_t p_out[17 * BYTES_MAX / 8];	/* 16992 */
	size_t bytes;			/* of one vector */
} __attribute__((aligned(64)));
_Static_assert(offsetof(struct vectors, z_out) == 8256 && offsetof(struct vectors, p_out) == 16992,
	       "the assembly below knows the offsets");

void spin_with_vectors(struct vectors *);

#if defined(__aarch64__)

#define EACH_P "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"
#define EACH_Z EACH_P ", 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"

__asm__(
	"	.arch armv8.2-a+sve\n"
	"	.macro each_vector action, base\n"
	"	.irp n, " EACH_Z "\n"
	"	\\action z\\n, [\\base, #\\n, mul vl]\n"
	"	.endr\n"
	"	.endm\n"
	"	.macro each_predicate action, base\n"
	"	.irp n, " EACH_P "\n"
	"	\\action p\\n, [\\base, #\\n, mul vl]\n"
	"	.endr\n"
	"	.endm\n"
	"	.text\n"
	"	.global spin_with_vectors\n"
	"spin_with_vectors:\n"
	"	stp d8, d9, [sp, #-64]!\n"
	"	stp d10, d11, [sp, #16]\n"
	"	stp d12, d13, [sp, #32]\n"
	"	stp d14, d15, [sp, #48]\n"
	"	add x1, x0, #64\n"
	"	each_vector ldr, x1\n"
	"	mov x2, #16448\n"
	"	add x1, x0, x2\n"
	"	ldr p0, [x1, #16, mul vl]\n"
	"	wrffr p0.b\n"
	"	each_predicate ldr, x1\n"
	"	mov x3, #1\n"
	"	str x3, [x0, #56]\n"
	"1:	ldr x1, [x0]\n"
	"	cbz x1, 1b\n"
	"	mov x2, #16992\n"
	"	add x1, x0, x2\n"
	"	each_predicate str, x1\n"
	"	rdffr p0.b\n"
	"	str p0, [x1, #16, mul vl]\n"
	"	mov x2, #8256\n"
	"	add x1, x0, x2\n"
	"	each_vector str, x1\n"
	"	ldp d10, d11, [sp, #16]\n"
	"	ldp d12, d13, [sp, #32]\n"
	"	ldp d14, d15, [sp, #48]\n"
	"	ldp d8, d9, [sp], #64\n"
	"	ret\n");

static void require(void)
{
	if (!(getauxval(AT_HWCAP) >> 22 & 1))
		test_skip("this processor has no SVE");
}

/* The nearest length that there is. */
static size_t choose_bytes(size_t wanted)
{
	return (size_t)must(prctl(50 /* PR_SVE_SET_VL */, wanted, 0, 0, 0)) & 0xffff;
}

static size_t bytes_now(void)
{
	return (size_t)must(prctl(51 /* PR_SVE_GET_VL */, 0, 0, 0, 0)) & 0xffff;
}

static void choose_control(struct vectors *v, int seed)
{
	fill_pattern(v->p, 16 * v->bytes / 8, (uint64_t)seed + 100);
	/* FFR: a row of ones, and then zeros */
	memset(v->p + 16 * v->bytes / 8, 0, v->bytes / 8);
	v->p[16 * v->bytes / 8] = (uint8_t)((1 << (seed + 1)) - 1);
}

#else

__asm__(
	"	.option push\n"
	"	.option arch, +v\n"
	"	.macro each_vector action, base\n"
	"	csrr t1, vlenb\n"
	"	slli t1, t1, 3\n"
	"	.irp n, 0, 8, 16, 24\n"
	"	\\action v\\n, (\\base)\n"
	"	add \\base, \\base, t1\n"
	"	.endr\n"
	"	.endm\n"
	"	.text\n"
	"	.global spin_with_vectors\n"
	"spin_with_vectors:\n"
	"	addi a1, a0, 64\n"
	"	each_vector vl8re8.v, a1\n"
	"	ld a1, 8(a0)\n"
	"	ld a2, 16(a0)\n"
	"	vsetvl zero, a1, a2\n"
	"	ld a1, 24(a0)\n"
	"	csrw vcsr, a1\n"
	"	li a1, 1\n"
	"	sd a1, 56(a0)\n"
	"1:	ld a1, 0(a0)\n"
	"	beqz a1, 1b\n"
	"	csrr a1, vl\n"
	"	sd a1, 32(a0)\n"
	"	csrr a1, vtype\n"
	"	sd a1, 40(a0)\n"
	"	csrr a1, vcsr\n"
	"	sd a1, 48(a0)\n"
	"	li a2, 8256\n"
	"	add a1, a0, a2\n"
	"	each_vector vs8r.v, a1\n"
	"	ret\n"
	"	.option pop\n");

static void require(void)
{
	if (!(getauxval(AT_HWCAP) >> ('v' - 'a') & 1))
		test_skip("this processor has no vectors");
}

static size_t bytes_now(void)
{
	size_t bytes;

	__asm__ volatile("csrr %0, 0xc22" : "=r"(bytes));	/* vlenb */
	return bytes;
}

static size_t choose_bytes(size_t wanted)
{
	(void)wanted;
	return bytes_now();
}

static void choose_control(struct vectors *v, int seed)
{
	v->control[0] = (uint64_t)(seed + 2);	/* vl */
	v->control[1] = 0x8 | 0x40;		/* 16 bits, one register, tail agnostic */
	v->control[2] = (uint64_t)(seed + 3);	/* rounding mode and saturation */
	memcpy(v->control_out, v->control, sizeof v->control);
}

#endif

static struct vectors spinner[SPINNERS];	/* the last is the main thread's */
static pthread_t spinning[SPINNERS - 1], waiting, sleeping;
static size_t sleeper_bytes;
static volatile pid_t sleeper, waiter;
static volatile int woken, handlers;

static void spin(int i)
{
	struct vectors *v = &spinner[i];

	v->bytes = choose_bytes((size_t[]){ 32, 256, 64 }[i]);
	expect(v->bytes && v->bytes <= BYTES_MAX, "set-up: vectors of %zu bytes", v->bytes);
	fill_pattern(v->z, 32 * v->bytes, (uint64_t)i + 1);
	choose_control(v, i);
	spin_with_vectors(v);
	expect(bytes_now() == v->bytes, "thread %d: vectors had %zu bytes and have %zu", i, v->bytes, bytes_now());
}

static void *spins(void *arg)
{
	spin((int)(intptr_t)arg);
	return arg;
}

static void on_signal(int number)
{
	(void)number;
	handlers++;
	while (!test_may_go())
		test_nap(10);
}

static void *sleeps(void *arg)
{
	sleeper_bytes = choose_bytes(16);
	sleeper = gettid();
	while (!woken)
		test_nap(20);
	expect(bytes_now() == sleeper_bytes, "the sleeper's vectors had %zu bytes and have %zu", sleeper_bytes, bytes_now());
	return arg;
}

static void *waits(void *arg)
{
	waiter = gettid();
	while (!test_may_go())
		test_nap(10);
	for (int i = 0; i < SPINNERS; i++)
		spinner[i].go = 1;
	return arg;
}

void test_setup(void)
{
	require();
	signal(SIGUSR1, on_signal);
	for (intptr_t i = 0; i < SPINNERS - 1; i++) {
		spinning[i] = test_thread(spins, (void *)i);
		while (!spinner[i].spins)
			test_nap(1);
		if (!strcmp(test_argument(), "handler"))
			pthread_kill(spinning[i], SIGUSR1);
		while (!strcmp(test_argument(), "handler") && handlers <= i)
			test_nap(1);
	}
	sleeping = test_thread(sleeps, NULL);
	waiting = test_thread(waits, NULL);
	while (!sleeper || !waiter)
		test_nap(1);
}

void test_hold(void)
{
	spin(SPINNERS - 1);
}

void test_break(void)
{
	spinner[0].z[5] ^= 1;
}

void test_check(void)
{
	pthread_join(waiting, NULL);
	woken = 1;
	pthread_join(sleeping, NULL);
	for (int i = 0; i < SPINNERS; i++) {
		const struct vectors *v = &spinner[i];

		if (i < SPINNERS - 1)
			pthread_join(spinning[i], NULL);
		for (size_t n = 0; n < 32; n++)
			expect(!memcmp(v->z + n * v->bytes, v->z_out + n * v->bytes, v->bytes), "thread %d: vector %zu differs", i, n);
		for (size_t n = 0; n < 17; n++)
			expect(!memcmp(v->p + n * v->bytes / 8, v->p_out + n * v->bytes / 8, v->bytes / 8),
			       "thread %d: predicate %zu differs (16: FFR)", i, n);
		for (size_t n = 0; n < 3; n++)
			expect(v->control[n] == v->control_out[n], "thread %d: vl, vtype or vcsr was %#llx and is %#llx", i,
			       (unsigned long long)v->control[n], (unsigned long long)v->control_out[n]);
	}
}

#else

TEST_SKIPPED("this program knows the vector registers of aarch64 and riscv64")

#endif
