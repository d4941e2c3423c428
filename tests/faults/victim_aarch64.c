/* SPDX-License-Identifier: MIT */
/* All that the victim knows about aarch64; victim_arch.h says what each function is for. */
#define _GNU_SOURCE
#include "victim_arch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

enum { GPRS = 31, NR = 8, COUNTER = 1, HAS_SVE = 1 << 22 };

/* The pattern of one pinned stretch. */
struct arch_pin {
	uint64_t x[GPRS];
	uint64_t flags;
};

#define ARCH_FLAGS 0xf0000000UL /* N, Z, C, V */

/* As long as the longest vectors that there are: SVE's lie one behind the other in the length that the CPU has. */
struct arch_vectors {
	uint8_t z[32][256], p[16][32];
	uint64_t fpsr, fpcr;
};

/*
 * The pinned stretches. In: x0 = the pattern, x1 = where to put what came out, x2 = how many rounds. A loop counts in x1 and
 * leaves the flags alone.
 */
#define EACH "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30"
#define SIXTEEN "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"
#define ALL_32 SIXTEEN ", 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
/* clang-format off */
asm(
".text\n"
".macro pin_load\n"
"	stp x29, x30, [sp, #-128]!\n"
"	stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]; stp x25, x26, [sp, #64]\n"
"	stp x27, x28, [sp, #80]; stp x1, x2, [sp, #96]\n"
"	ldr x3, [x0, #248]\n"
"	msr nzcv, x3\n"
"	.irp n, " EACH "\n"
"	ldr x\\n, [x0, #8 * \\n]\n"
"	.endr\n"
"	ldr x0, [x0]\n"
".endm\n"
".macro pin_store\n"
"	str x0, [sp, #112]\n"
"	ldr x0, [sp, #96]\n"
"	.irp n, " EACH "\n"
"	str x\\n, [x0, #8 * \\n]\n"
"	.endr\n"
"	ldr x1, [sp, #112]\n"
"	str x1, [x0]\n"
"	mrs x1, nzcv\n"
"	str x1, [x0, #248]\n"
"	ldp x19, x20, [sp, #16]; ldp x21, x22, [sp, #32]; ldp x23, x24, [sp, #48]; ldp x25, x26, [sp, #64]\n"
"	ldp x27, x28, [sp, #80]\n"
"	ldp x29, x30, [sp], #128\n"
"	ret\n"
".endm\n"

".globl pin_spin, pin_spin_from, pin_spin_to\n"
"pin_spin:\n"
"	pin_load\n"
"	ldr x1, [sp, #104]\n"
"pin_spin_from:\n"
"1:	sub x1, x1, #1\n"
"	cbnz x1, 1b\n"
"pin_spin_to:\n"
"	pin_store\n"

".globl pin_syscall\n"
"pin_syscall:\n"
"	pin_load\n"
"	svc #0\n"
"	pin_store\n"

".macro vectors_begin\n"
"	.irp n, 8, 9, 10, 11, 12, 13, 14, 15\n"
"	str d\\n, [sp, #-16]!\n"
"	.endr\n"
"	ldr x3, [x0, #8704]\n"
"	msr fpsr, x3\n"
"	ldr x3, [x0, #8712]\n"
"	msr fpcr, x3\n"
".endm\n"
".macro vectors_end\n"
"	mrs x3, fpsr\n"
"	str x3, [x1, #8704]\n"
"	mrs x3, fpcr\n"
"	str x3, [x1, #8712]\n"
"	msr fpcr, xzr\n"
"	msr fpsr, xzr\n"
"	.irp n, 15, 14, 13, 12, 11, 10, 9, 8\n"
"	ldr d\\n, [sp], #16\n"
"	.endr\n"
"	ret\n"
".endm\n"

".globl pin_simd\n"
"pin_simd:\n"
"	vectors_begin\n"
"	.irp n, " ALL_32 "\n"
"	ldr q\\n, [x0, #16 * \\n]\n"
"	.endr\n"
"1:	sub x2, x2, #1\n"
"	cbnz x2, 1b\n"
"	.irp n, " ALL_32 "\n"
"	str q\\n, [x1, #16 * \\n]\n"
"	.endr\n"
"	vectors_end\n"

".arch_extension sve\n"
".globl pin_sve\n"
"pin_sve:\n"
"	vectors_begin\n"
"	add x4, x0, #8192\n"
"	add x5, x1, #8192\n"
"	.irp n, " ALL_32 "\n"
"	ldr z\\n, [x0, #\\n, mul vl]\n"
"	.endr\n"
"	.irp n, " SIXTEEN "\n"
"	ldr p\\n, [x4, #\\n, mul vl]\n"
"	.endr\n"
"1:	sub x2, x2, #1\n"
"	cbnz x2, 1b\n"
"	.irp n, " ALL_32 "\n"
"	str z\\n, [x1, #\\n, mul vl]\n"
"	.endr\n"
"	.irp n, " SIXTEEN "\n"
"	str p\\n, [x5, #\\n, mul vl]\n"
"	.endr\n"
"	vectors_end\n"
".globl sve_bytes\n"
"sve_bytes:\n"
"	rdvl x0, #1\n"
"	ret\n"
".globl sve_scribble\n"
"sve_scribble:\n"
"	.irp n, " ALL_32 "\n"
"	dup z\\n\\().b, #-1\n"
"	.endr\n"
"	.irp n, " SIXTEEN "\n"
"	ptrue p\\n\\().b\n"
"	.endr\n"
"	ret\n"
".arch_extension nosve\n"
);
/* clang-format on */
_Static_assert(offsetof(struct arch_pin, flags) == 248 && offsetof(struct arch_vectors, p) == 8192, "asm offsets");
_Static_assert(offsetof(struct arch_vectors, fpsr) == 8704 && offsetof(struct arch_vectors, fpcr) == 8712, "asm offsets");

void pin_spin(const struct arch_pin *in, struct arch_pin *out, uint64_t rounds);
void pin_syscall(const struct arch_pin *in, struct arch_pin *out, uint64_t unused);
void pin_simd(const struct arch_vectors *in, struct arch_vectors *out, uint64_t rounds);
void pin_sve(const struct arch_vectors *in, struct arch_vectors *out, uint64_t rounds);
int sve_bytes(void);
void sve_scribble(void);
extern const char pin_spin_from[], pin_spin_to[];

static __thread const struct arch_pin *pinned_now; /* what a handler may expect in the frame */
static __thread char arch_text[160];

static uint64_t arch_mix(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15UL;
	uint64_t z = *state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	return z ^ (z >> 27);
}

static void arch_fill(struct arch_pin *in, uint64_t seed)
{
	for (int i = 0; i < GPRS; i++)
		in->x[i] = arch_mix(&seed);
	in->flags = arch_mix(&seed) & ARCH_FLAGS;
}

/* Registers outside of `skip` (a bit each), and the flags. */
static const char *arch_compare(const struct arch_pin *in, const uint64_t *x, uint64_t flags, unsigned skip, const char *where)
{
	for (int i = 0; i < GPRS; i++)
		if (!(skip >> i & 1) && in->x[i] != x[i]) {
			snprintf(arch_text, sizeof(arch_text), "%sregister x%d is %#lx, was %#lx", where, i, x[i], in->x[i]);
			return arch_text;
		}
	if (!((in->flags ^ flags) & ARCH_FLAGS))
		return NULL;
	snprintf(arch_text, sizeof(arch_text), "%sflags are %#lx, were %#lx", where, flags & ARCH_FLAGS, in->flags);
	return arch_text;
}

void arch_thread_start(void)
{
}

const char *arch_spin_registers(uint64_t seed, uint64_t rounds)
{
	struct arch_pin in, out;

	arch_fill(&in, seed);
	pinned_now = &in;
	pin_spin(&in, &out, rounds);
	pinned_now = NULL;
	return arch_compare(&in, out.x, out.flags, 1U << COUNTER, "");
}

/* The same: the flags cost nothing here. */
const char *arch_spin_flags(uint64_t seed, uint64_t rounds)
{
	return arch_spin_registers(seed, rounds);
}

/* The kernel gives its answer in x0, and the number of a call that it went on with may be restart_syscall(2)'s. */
const char *arch_pinned_syscall(uint64_t seed, long number, const long *argument, int arguments, long *result)
{
	struct arch_pin in, out;

	arch_fill(&in, seed);
	in.x[NR] = (uint64_t)number;
	for (int i = 0; i < arguments; i++)
		in.x[i] = (uint64_t)argument[i];
	pin_syscall(&in, &out, 0);
	*result = (long)out.x[0];
	if (out.x[NR] == SYS_restart_syscall)
		out.x[NR] = in.x[NR];
	return arch_compare(&in, out.x, out.flags, 1, "");
}

/* Short and, where there are, long vectors take turns: SVE is in use at one moment and not at another. */
const char *arch_spin_vectors(uint64_t seed, uint64_t rounds)
{
	static const struct arch_vectors nothing;
	static __thread struct arch_vectors in, out;
	const bool sve = seed % 2 && getauxval(AT_HWCAP) & HAS_SVE;
	const int bytes = sve ? sve_bytes() : 16;

	in = out = nothing;
	for (int i = 0; i < 32 * bytes; i += 8) {
		uint64_t v = arch_mix(&seed);

		memcpy(&in.z[0][i], &v, 8);
		if (sve && i < 2 * bytes)
			memcpy(&in.p[0][i], &v, 8);
	}
	in.fpsr = arch_mix(&seed) & 0x0800009f;
	in.fpcr = arch_mix(&seed) & 0x03c00000; /* default NaN, flush to zero, rounding */
	(sve ? pin_sve : pin_simd)(&in, &out, rounds);
	for (int i = 0; i < 32; i++)
		if (memcmp(&in.z[0][bytes * i], &out.z[0][bytes * i], (size_t)bytes)) {
			snprintf(arch_text, sizeof(arch_text), "vector register %d (%d bytes wide) has changed", i, bytes);
			return arch_text;
		}
	if (memcmp(in.p, out.p, sizeof(in.p)))
		return "a predicate register has changed";
	if (in.fpsr == out.fpsr && in.fpcr == out.fpcr)
		return NULL;
	snprintf(arch_text, sizeof(arch_text), "fpsr is %#lx, was %#lx; fpcr is %#lx, was %#lx", out.fpsr, in.fpsr, out.fpcr,
		 in.fpcr);
	return arch_text;
}

const char *arch_check_interrupted(const ucontext_t *frame)
{
	const char *at = (const char *)frame->uc_mcontext.pc;

	if (!pinned_now || at < pin_spin_from || at >= pin_spin_to)
		return NULL;
	return arch_compare(pinned_now, (const uint64_t *)frame->uc_mcontext.regs, frame->uc_mcontext.pstate, 1U << COUNTER,
			    "in the signal frame ");
}

void arch_scribble(void)
{
	/* Callee-saved registers too: the compiler puts them back, the pinned stretch must not need that. */
	asm volatile(".irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28\n"
		     "	mvn x\\n, x\\n\n"
		     "	.endr\n"
		     "	.irp n, " ALL_32 "\n"
		     "	movi v\\n\\().16b, #255\n"
		     "	.endr\n"
		     "	cmp xzr, xzr\n" ::
			     : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
			       "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "v0",
			       "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
			       "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
			       "v30", "v31", "cc", "memory");
	if (getauxval(AT_HWCAP) & HAS_SVE)
		sve_scribble();
}
