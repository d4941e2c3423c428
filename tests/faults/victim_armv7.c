/* SPDX-License-Identifier: MIT */
/*
 * All that the victim knows about armv7; victim_arch.h says what each function is for. ARM and Thumb state take turns.
 */
#define _GNU_SOURCE
#include "victim_arch.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* r0 to r12, then lr; a loop counts in r0, and reckons in r1 where it must leave the flags alone. */
enum { NR = 7, LR = 13, GPRS = 14, COUNTERS = 3 };

/* The pattern of one pinned stretch. */
struct arch_pin {
	uint32_t r[GPRS];
	uint32_t flags;
};

#define ARCH_FLAGS 0xf80f0000U /* N, Z, C, V, Q, GE */

struct arch_vectors {
	uint64_t d[32];
	uint32_t fpscr;
};

/* The pinned stretches. In: r0 = the pattern, r1 = where to put what came out, r2 = how many rounds. */
/* clang-format off */
asm(
".text\n"
".syntax unified\n"
".fpu neon\n"
".macro pin_load\n"
"	push {r0-r2, r4-r12, lr}\n"
"	sub sp, sp, #12\n"
"	ldr r3, [r0, #56]\n"
"	msr APSR_nzcvqg, r3\n"
"	add lr, r0, #4\n"
"	ldr r0, [r0]\n"
"	ldmia lr, {r1-r12, lr}\n"
".endm\n"
".macro pin_store\n"
"	str r0, [sp]\n"
"	ldr r0, [sp, #16]\n"
"	str r1, [r0, #4]; str r2, [r0, #8]; str r3, [r0, #12]; str r4, [r0, #16]; str r5, [r0, #20]; str r6, [r0, #24]\n"
"	str r7, [r0, #28]; str r8, [r0, #32]; str r9, [r0, #36]; str r10, [r0, #40]; str r11, [r0, #44]; str r12, [r0, #48]\n"
"	str lr, [r0, #52]\n"
"	mrs r1, APSR\n"
"	str r1, [r0, #56]\n"
"	ldr r1, [sp]\n"
"	str r1, [r0]\n"
"	add sp, sp, #24\n"
"	pop {r4-r12, pc}\n"
".endm\n"
".macro stretches state\n"
".globl pin_spin_\\state, pin_syscall_\\state, pin_spin_from_\\state, pin_spin_to_\\state\n"
".type pin_spin_\\state, %function\n"
".type pin_syscall_\\state, %function\n"
"pin_spin_\\state:\n"
"	pin_load\n"
"	ldr r0, [sp, #20]\n"
"pin_spin_from_\\state:\n"
"1:	sub r0, r0, #1\n"
"	back_unless_zero_\\state\n"
"pin_spin_to_\\state:\n"
"	pin_store\n"
"pin_syscall_\\state:\n"
"	pin_load\n"
"	svc 0\n"
"	pin_store\n"
".endm\n"

".macro back_unless_zero_arm\n"
"	clz r1, r0\n"
"	lsr r1, r1, #5\n"
"	add pc, pc, r1, lsl #2\n"
"	nop\n"
"	b 1b\n"
".endm\n"
".macro back_unless_zero_thumb\n"
"	cbz r0, 2f\n"
"	b 1b\n"
"2:\n"
".endm\n"
".arm\n"
"	stretches arm\n"
".thumb\n"
"	stretches thumb\n"

".globl pin_vectors\n"
".type pin_vectors, %function\n"
"pin_vectors:\n"
"	vpush {d8-d15}\n"
"	ldr r3, [r0, #256]\n"
"	vmsr fpscr, r3\n"
"	vldmia r0!, {d0-d15}\n"
"	vldmia r0, {d16-d31}\n"
"1:	subs r2, r2, #1\n"
"	bne 1b\n"
"	vmrs r3, fpscr\n"
"	str r3, [r1, #256]\n"
"	vstmia r1!, {d0-d15}\n"
"	vstmia r1, {d16-d31}\n"
"	mov r3, #0\n"
"	vmsr fpscr, r3\n"
"	vpop {d8-d15}\n"
"	bx lr\n"
);
/* clang-format on */
_Static_assert(offsetof(struct arch_pin, flags) == 56 && offsetof(struct arch_vectors, fpscr) == 256, "asm offsets");

typedef void stretch(const struct arch_pin *in, struct arch_pin *out, uint32_t rounds);
stretch pin_spin_arm, pin_spin_thumb, pin_syscall_arm, pin_syscall_thumb;
void pin_vectors(const struct arch_vectors *in, struct arch_vectors *out, uint32_t rounds);
extern const char pin_spin_from_arm[], pin_spin_to_arm[], pin_spin_from_thumb[], pin_spin_to_thumb[];

static __thread const struct arch_pin *pinned_now; /* what a handler may expect in the frame */
static __thread char arch_text[160];

static uint64_t arch_mix(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ULL;
	uint64_t z = *state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return z ^ (z >> 27);
}

static void arch_fill(struct arch_pin *in, uint64_t seed)
{
	for (int i = 0; i < GPRS; i++)
		in->r[i] = (uint32_t)arch_mix(&seed);
	in->flags = (uint32_t)arch_mix(&seed) & ARCH_FLAGS;
}

/* Registers outside of `skip` (a bit each), and the flags. */
static const char *arch_compare(const struct arch_pin *in, const struct arch_pin *out, unsigned skip, const char *where)
{
	for (int i = 0; i < GPRS; i++)
		if (!(skip >> i & 1) && in->r[i] != out->r[i]) {
			snprintf(arch_text, sizeof(arch_text), "%sregister r%d is %#" PRIx32 ", was %#" PRIx32, where,
				 i == LR ? 14 : i, out->r[i], in->r[i]);
			return arch_text;
		}
	if (!((in->flags ^ out->flags) & ARCH_FLAGS))
		return NULL;
	snprintf(arch_text, sizeof(arch_text), "%sflags are %#" PRIx32 ", were %#" PRIx32, where, out->flags & ARCH_FLAGS,
		 in->flags);
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
	(seed % 2 ? pin_spin_thumb : pin_spin_arm)(&in, &out, (uint32_t)rounds);
	pinned_now = NULL;
	return arch_compare(&in, &out, COUNTERS, "");
}

/* The same: the flags cost nothing here. */
const char *arch_spin_flags(uint64_t seed, uint64_t rounds)
{
	return arch_spin_registers(seed, rounds);
}

/* The kernel gives its answer in r0; the number of a call that a 64-bit one went on with may be restart_syscall(2)'s. */
const char *arch_pinned_syscall(uint64_t seed, long number, const long *argument, int arguments, long *result)
{
	struct arch_pin in, out;

	arch_fill(&in, seed);
	in.r[NR] = (uint32_t)number;
	for (int i = 0; i < arguments; i++)
		in.r[i] = (uint32_t)argument[i];
	(seed % 2 ? pin_syscall_thumb : pin_syscall_arm)(&in, &out, 0);
	*result = (long)out.r[0];
	if (out.r[NR] == SYS_restart_syscall)
		out.r[NR] = in.r[NR];
	return arch_compare(&in, &out, 1, "");
}

const char *arch_spin_vectors(uint64_t seed, uint64_t rounds)
{
	struct arch_vectors in, out;

	for (int i = 0; i < 32; i++)
		in.d[i] = arch_mix(&seed);
	in.fpscr = (uint32_t)arch_mix(&seed) & 0xfbc0009f; /* flags, default NaN, flush to zero, rounding, exceptions */
	pin_vectors(&in, &out, (uint32_t)rounds);
	for (int i = 0; i < 32; i++)
		if (in.d[i] != out.d[i]) {
			snprintf(arch_text, sizeof(arch_text), "register d%d is %#" PRIx64 ", was %#" PRIx64, i, out.d[i],
				 in.d[i]);
			return arch_text;
		}
	if (in.fpscr == out.fpscr)
		return NULL;
	snprintf(arch_text, sizeof(arch_text), "fpscr is %#" PRIx32 ", was %#" PRIx32, out.fpscr, in.fpscr);
	return arch_text;
}

const char *arch_check_interrupted(const ucontext_t *frame)
{
	const mcontext_t *m = &frame->uc_mcontext;
	const char *at = (const char *)m->arm_pc;
	struct arch_pin seen = { .flags = (uint32_t)m->arm_cpsr };

	if (!pinned_now || ((at < pin_spin_from_arm || at >= pin_spin_to_arm) &&
			    (at < pin_spin_from_thumb || at >= pin_spin_to_thumb)))
		return NULL;
	for (int i = 0; i < GPRS; i++)
		seen.r[i] = (uint32_t)(&m->arm_r0)[i == LR ? 14 : i];
	return arch_compare(pinned_now, &seen, COUNTERS, "in the signal frame ");
}

void arch_scribble(void)
{
	/* Callee-saved registers too: the compiler puts them back, the pinned stretch must not need that. */
	asm volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 14\n"
		     "	mvn r\\n, r\\n\n"
		     "	.endr\n"
		     "	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
		     "	vmov.i8 q\\n, #255\n"
		     "	.endr\n"
		     "	cmp r0, r0\n" ::
			     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "d0", "d1", "d2", "d3",
			       "d4", "d5", "d6", "d7", "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15", "d16", "d17", "d18",
			       "d19", "d20", "d21", "d22", "d23", "d24", "d25", "d26", "d27", "d28", "d29", "d30", "d31", "cc",
			       "memory");
}
