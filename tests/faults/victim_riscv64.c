/* SPDX-License-Identifier: MIT */
/*
 * All that the victim knows about riscv64; victim_arch.h says what each function is for. The only flags are those of floating
 * point. Vector registers are left alone: tinyckpt refuses who uses them.
 */
#define _GNU_SOURCE
#include "victim_arch.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GPRS = 32, SP = 2, GP = 3, TP = 4, A0 = 10, COUNTER = 11, NR = 17 };

/* The pattern of one pinned stretch; stack, global and thread pointer stay what they are. */
struct arch_pin {
	uint64_t x[GPRS];
};
enum { NOT_PINNED = 1 << 0 | 1 << SP | 1 << GP | 1 << TP };

struct arch_floats {
	uint64_t f[32], fcsr;
};

/* The pinned stretches. In: a0 = the pattern, a1 = where to put what came out, a2 = how many rounds. A loop counts in a1. */
#define SAVED "8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27"
#define ALL_32                                                                                                         \
	"0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
#define BUT_A0 "1, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
/* clang-format off */
asm(
".text\n"
".macro pin_load\n"
"	addi sp, sp, -288\n"
"	sd ra, 8(sp)\n"
"	.irp n, " SAVED "\n"
"	sd x\\n, 8 * \\n(sp)\n"
"	.endr\n"
"	sd a1, 256(sp)\n"
"	sd a2, 264(sp)\n"
"	.irp n, " BUT_A0 "\n"
"	ld x\\n, 8 * \\n(a0)\n"
"	.endr\n"
"	ld a0, 80(a0)\n"
".endm\n"
".macro pin_store\n"
"	sd a0, 272(sp)\n"
"	ld a0, 256(sp)\n"
"	.irp n, " BUT_A0 "\n"
"	sd x\\n, 8 * \\n(a0)\n"
"	.endr\n"
"	ld a1, 272(sp)\n"
"	sd a1, 80(a0)\n"
"	.irp n, " SAVED "\n"
"	ld x\\n, 8 * \\n(sp)\n"
"	.endr\n"
"	ld ra, 8(sp)\n"
"	addi sp, sp, 288\n"
"	ret\n"
".endm\n"

".globl pin_spin, pin_spin_from, pin_spin_to\n"
"pin_spin:\n"
"	pin_load\n"
"	ld a1, 264(sp)\n"
"pin_spin_from:\n"
"1:	addi a1, a1, -1\n"
"	bnez a1, 1b\n"
"pin_spin_to:\n"
"	pin_store\n"

".globl pin_syscall\n"
"pin_syscall:\n"
"	pin_load\n"
"	ecall\n"
"	pin_store\n"

".globl pin_floats\n"
"pin_floats:\n"
"	addi sp, sp, -256\n"
"	.irp n, " SAVED "\n"
"	fsd f\\n, 8 * \\n(sp)\n"
"	.endr\n"
"	ld a3, 256(a0)\n"
"	fscsr a3\n"
"	.irp n, " ALL_32 "\n"
"	fld f\\n, 8 * \\n(a0)\n"
"	.endr\n"
"1:	addi a2, a2, -1\n"
"	bnez a2, 1b\n"
"	.irp n, " ALL_32 "\n"
"	fsd f\\n, 8 * \\n(a1)\n"
"	.endr\n"
"	frcsr a3\n"
"	sd a3, 256(a1)\n"
"	fscsr zero\n"
"	.irp n, " SAVED "\n"
"	fld f\\n, 8 * \\n(sp)\n"
"	.endr\n"
"	addi sp, sp, 256\n"
"	ret\n"
);
/* clang-format on */
_Static_assert(offsetof(struct arch_pin, x[A0]) == 80 && offsetof(struct arch_floats, fcsr) == 256, "asm offsets");

void pin_spin(const struct arch_pin *in, struct arch_pin *out, uint64_t rounds);
void pin_syscall(const struct arch_pin *in, struct arch_pin *out, uint64_t unused);
void pin_floats(const struct arch_floats *in, struct arch_floats *out, uint64_t rounds);
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
}

/* Registers outside of `skip` (a bit each). */
static const char *arch_compare(const struct arch_pin *in, const uint64_t *x, unsigned skip, const char *where)
{
	for (int i = 0; i < GPRS; i++)
		if (!(skip >> i & 1) && in->x[i] != x[i]) {
			snprintf(arch_text, sizeof(arch_text), "%sregister x%d is %#lx, was %#lx", where, i, x[i], in->x[i]);
			return arch_text;
		}
	return NULL;
}

/* musl gives the kernel, which knows no restorer here, that one for the mask (up to 1.2.4): the mask that was meant is set. */
void arch_thread_start(void)
{
	const int signals[] = { SIGALRM, SIGVTALRM, SIGRTMIN, SIGRTMIN + 1, SIGRTMIN + 2 };
	struct {
		uint64_t handler, flags, mask;
	} action;
	uint64_t mask = 0;

	for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		mask |= 1UL << (signals[i] - 1);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		syscall(SYS_rt_sigaction, signals[i], NULL, &action, 8);
		action.mask = mask;
		syscall(SYS_rt_sigaction, signals[i], &action, NULL, 8);
	}
}

const char *arch_spin_registers(uint64_t seed, uint64_t rounds)
{
	struct arch_pin in, out;

	arch_fill(&in, seed);
	pinned_now = &in;
	pin_spin(&in, &out, rounds);
	pinned_now = NULL;
	return arch_compare(&in, out.x, NOT_PINNED | 1U << COUNTER, "");
}

static const char *spin_floats(uint64_t seed, uint64_t rounds)
{
	struct arch_floats in, out;

	for (int i = 0; i < 32; i++)
		in.f[i] = arch_mix(&seed);
	in.fcsr = (arch_mix(&seed) & 0x1f) | (arch_mix(&seed) & 3) << 5;
	pin_floats(&in, &out, rounds);
	for (int i = 0; i < 32; i++)
		if (in.f[i] != out.f[i]) {
			snprintf(arch_text, sizeof(arch_text), "register f%d is %#lx, was %#lx", i, out.f[i], in.f[i]);
			return arch_text;
		}
	if (in.fcsr == out.fcsr)
		return NULL;
	snprintf(arch_text, sizeof(arch_text), "fcsr is %#lx, was %#lx", out.fcsr, in.fcsr);
	return arch_text;
}

const char *arch_spin_flags(uint64_t seed, uint64_t rounds)
{
	return spin_floats(seed, rounds);
}

const char *arch_spin_vectors(uint64_t seed, uint64_t rounds)
{
	return spin_floats(seed, rounds);
}

/* The kernel gives its answer in a0, and the number of a call that it went on with may be restart_syscall(2)'s. */
const char *arch_pinned_syscall(uint64_t seed, long number, const long *argument, int arguments, long *result)
{
	struct arch_pin in, out;

	arch_fill(&in, seed);
	in.x[NR] = (uint64_t)number;
	for (int i = 0; i < arguments; i++)
		in.x[A0 + i] = (uint64_t)argument[i];
	pin_syscall(&in, &out, 0);
	*result = (long)out.x[A0];
	if (out.x[NR] == SYS_restart_syscall)
		out.x[NR] = in.x[NR];
	return arch_compare(&in, out.x, NOT_PINNED | 1U << A0, "");
}

const char *arch_check_interrupted(const ucontext_t *frame)
{
	const uint64_t *x = (const uint64_t *)&frame->uc_mcontext; /* general registers first, pc in the place of x0 */
	const char *at = (const char *)x[0];

	if (!pinned_now || at < pin_spin_from || at >= pin_spin_to)
		return NULL;
	return arch_compare(pinned_now, x, NOT_PINNED | 1U << COUNTER, "in the signal frame ");
}

/*
 * Not those of floating point: a kernel (7.2) that is preempted inside rt_sigreturn(2) does not bring them back, as a victim
 * that nobody saves finds out as well.
 */
void arch_scribble(void)
{
	/* Callee-saved registers too: the compiler puts them back, the pinned stretch must not need that. */
	asm volatile(".irp n, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
		     "	not x\\n, x\\n\n"
		     "	.endr\n" ::
			     : "t0", "t1", "t2", "s1", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6",
			       "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6", "memory");
}
