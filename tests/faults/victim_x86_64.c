/* SPDX-License-Identifier: MIT */
/* All that the victim knows about x86_64; victim_arch.h says what each function is for. */
#define _GNU_SOURCE
#include "victim_arch.h"

#include <asm/prctl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, GPRS };

/* The pattern of one pinned stretch. */
struct arch_pin {
	uint64_t gpr[GPRS];
	uint64_t flags;
	uint64_t below[16]; /* the 128 bytes below the stack pointer, from -8 downwards */
};

/* CF, PF, AF, ZF, SF, DF, OF: what a program can set and what both sigreturn and ptrace carry. */
#define ARCH_FLAGS 0xcd5UL

struct arch_vectors {
	uint8_t reg[32][64];
	uint64_t mask[8];
	double x87[8];
	uint32_t mxcsr;
	uint16_t control;
	uint16_t pad;
};

/*
 * The pinned stretches. In: rdi = the pattern, rsi = where to put what came out, rdx = how many rounds.
 * The frame at rsp holds a struct arch_pin (results), then rsi, then rdx. Between the flags being loaded and being
 * stored only mov and loop are used, which leave flags alone.
 */
/* clang-format off */
asm(
".text\n"
".macro pin_load\n"
"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
"	sub $(256 + 16), %rsp\n"
"	mov %rsi, 256(%rsp)\n"
"	mov %rdx, 264(%rsp)\n"
"	pushq 120(%rdi)\n"
"	popfq\n"
"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
"	mov (128 + 8 * \\n)(%rdi), %rax\n"
"	mov %rax, (-8 - 8 * \\n)(%rsp)\n"
"	.endr\n"
"	mov 0(%rdi), %rax; mov 8(%rdi), %rbx; mov 16(%rdi), %rcx; mov 24(%rdi), %rdx; mov 32(%rdi), %rsi\n"
"	mov 48(%rdi), %rbp; mov 56(%rdi), %r8; mov 64(%rdi), %r9; mov 72(%rdi), %r10; mov 80(%rdi), %r11\n"
"	mov 88(%rdi), %r12; mov 96(%rdi), %r13; mov 104(%rdi), %r14; mov 112(%rdi), %r15; mov 40(%rdi), %rdi\n"
".endm\n"
".macro pin_store\n"
"	mov %rax, 0(%rsp); mov %rbx, 8(%rsp); mov %rcx, 16(%rsp); mov %rdx, 24(%rsp); mov %rsi, 32(%rsp)\n"
"	mov %rdi, 40(%rsp); mov %rbp, 48(%rsp); mov %r8, 56(%rsp); mov %r9, 64(%rsp); mov %r10, 72(%rsp)\n"
"	mov %r11, 80(%rsp); mov %r12, 88(%rsp); mov %r13, 96(%rsp); mov %r14, 104(%rsp); mov %r15, 112(%rsp)\n"
"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
"	mov (-8 - 8 * \\n)(%rsp), %rax\n"
"	mov %rax, (128 + 8 * \\n)(%rsp)\n"
"	.endr\n"
"	pushfq\n"
"	pop %rax\n"
"	mov %rax, 120(%rsp)\n"
"	cld\n"
"	mov %rsp, %rsi\n"
"	mov 256(%rsp), %rdi\n"
"	mov $32, %ecx\n"
"	rep movsq\n"
"	add $(256 + 16), %rsp\n"
"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
"	ret\n"
".endm\n"

".globl pin_registers, pin_registers_from, pin_registers_to\n"
"pin_registers:\n"
"	pin_load\n"
"pin_registers_from:\n"
"1:	decq 264(%rsp)\n"
"	jnz 1b\n"
"pin_registers_to:\n"
"	pin_store\n"

/* loop counts in rcx and leaves the flags alone */
".globl pin_flags, pin_flags_from, pin_flags_to\n"
"pin_flags:\n"
"	pin_load\n"
"	mov 264(%rsp), %rcx\n"
"pin_flags_from:\n"
"1:	loop 1b\n"
"pin_flags_to:\n"
"	pin_store\n"

".globl pin_syscall\n"
"pin_syscall:\n"
"	pin_load\n"
"	syscall\n"
"	pin_store\n"
);

/* The three widths differ in the register names only. x87 goes along: eight values deep, its own rounding mode. */
#define VECTOR_STRETCH(name, last, load, store, mask_load, mask_store)                                                 \
	asm(".globl " name "\n" name ":\n"                                                                             \
	    "	fninit\n"                                                                                              \
	    "	fldcw 2180(%rdi)\n"                                                                                    \
	    "	ldmxcsr 2176(%rdi)\n"                                                                                  \
	    "	.irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"                                                                      \
	    "	fldl (2112 + 8 * \\n)(%rdi)\n"                                                                         \
	    "	" mask_load "\n"                                                                                       \
	    "	.endr\n"                                                                                               \
	    "	.irp n, " last "\n"                                                                                    \
	    "	" load "\n"                                                                                            \
	    "	.endr\n"                                                                                               \
	    "1:	dec %rdx\n"                                                                                            \
	    "	jnz 1b\n"                                                                                              \
	    "	.irp n, " last "\n"                                                                                    \
	    "	" store "\n"                                                                                           \
	    "	.endr\n"                                                                                               \
	    "	.irp n, 7, 6, 5, 4, 3, 2, 1, 0\n"                                                                      \
	    "	fstpl (2112 + 8 * \\n)(%rsi)\n"                                                                        \
	    "	" mask_store "\n"                                                                                      \
	    "	.endr\n"                                                                                               \
	    "	stmxcsr 2176(%rsi)\n"                                                                                  \
	    "	fnstcw 2180(%rsi)\n"                                                                                   \
	    "	fninit\n"                                                                                              \
	    "	ldmxcsr pin_mxcsr_default(%rip)\n"                                                                     \
	    "	ret\n")

#define SIXTEEN "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"
#define ALL_32 SIXTEEN ", 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
asm("pin_mxcsr_default: .long 0x1f80\n");
VECTOR_STRETCH("pin_xmm", SIXTEEN, "movdqu (64 * \\n)(%rdi), %xmm\\n", "movdqu %xmm\\n, (64 * \\n)(%rsi)", "", "");
VECTOR_STRETCH("pin_ymm", SIXTEEN, "vmovdqu (64 * \\n)(%rdi), %ymm\\n", "vmovdqu %ymm\\n, (64 * \\n)(%rsi)", "", "");
VECTOR_STRETCH("pin_zmm", ALL_32, "vmovdqu64 (64 * \\n)(%rdi), %zmm\\n", "vmovdqu64 %zmm\\n, (64 * \\n)(%rsi)",
	       "kmovq (2048 + 8 * \\n)(%rdi), %k\\n", "kmovq %k\\n, (2048 + 8 * \\n)(%rsi)");
/* clang-format on */
_Static_assert(offsetof(struct arch_pin, flags) == 120 && offsetof(struct arch_pin, below) == 128, "asm offsets");
_Static_assert(sizeof(struct arch_pin) == 256, "asm offsets");
_Static_assert(offsetof(struct arch_vectors, mask) == 2048 && offsetof(struct arch_vectors, x87) == 2112, "asm offsets");
_Static_assert(offsetof(struct arch_vectors, mxcsr) == 2176 && offsetof(struct arch_vectors, control) == 2180, "asm");

void pin_registers(const struct arch_pin *in, struct arch_pin *out, uint64_t rounds);
void pin_flags(const struct arch_pin *in, struct arch_pin *out, uint64_t rounds);
void pin_syscall(const struct arch_pin *in, struct arch_pin *out, uint64_t unused);
void pin_xmm(const struct arch_vectors *in, struct arch_vectors *out, uint64_t rounds);
void pin_ymm(const struct arch_vectors *in, struct arch_vectors *out, uint64_t rounds);
void pin_zmm(const struct arch_vectors *in, struct arch_vectors *out, uint64_t rounds);
extern const char pin_registers_from[], pin_registers_to[], pin_flags_from[], pin_flags_to[];

static const char *const gpr_name[GPRS] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
					    "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
static const int gpr_in_frame[GPRS] = { REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
					REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

static __thread const struct arch_pin *pinned_now; /* what a handler may expect in the frame */
static __thread uint64_t gs_cell;
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
		in->gpr[i] = arch_mix(&seed);
	in->flags = (arch_mix(&seed) & ARCH_FLAGS) | 0x202;
	for (int i = 0; i < 16; i++)
		in->below[i] = arch_mix(&seed);
}

/* Registers outside of `skip` (a bit each), the bytes below the stack pointer, and the base of gs. */
static const char *arch_compare(const struct arch_pin *in, const struct arch_pin *out, unsigned skip)
{
	uint64_t through_gs;

	for (int i = 0; i < GPRS; i++)
		if (!(skip >> i & 1) && in->gpr[i] != out->gpr[i]) {
			snprintf(arch_text, sizeof(arch_text), "register %s is %#lx, was %#lx", gpr_name[i], out->gpr[i],
				 in->gpr[i]);
			return arch_text;
		}
	for (int i = 0; i < 16; i++)
		if (in->below[i] != out->below[i]) {
			snprintf(arch_text, sizeof(arch_text), "red zone at rsp-%d is %#lx, was %#lx", 8 * i + 8,
				 out->below[i], in->below[i]);
			return arch_text;
		}
	asm volatile("mov %%gs:0, %0" : "=r"(through_gs));
	if (through_gs != gs_cell || through_gs != (uint64_t)&gs_cell)
		return "the base of gs has changed";
	return NULL;
}

static const char *arch_compare_flags(const struct arch_pin *in, const struct arch_pin *out)
{
	if (!((in->flags ^ out->flags) & ARCH_FLAGS))
		return NULL;
	snprintf(arch_text, sizeof(arch_text), "flags are %#lx, were %#lx", out->flags & ARCH_FLAGS,
		 in->flags & ARCH_FLAGS);
	return arch_text;
}

void arch_thread_start(void)
{
	gs_cell = (uint64_t)&gs_cell;
	syscall(SYS_arch_prctl, ARCH_SET_GS, &gs_cell);
}

const char *arch_spin_registers(uint64_t seed, uint64_t rounds)
{
	struct arch_pin in, out;

	arch_fill(&in, seed);
	in.flags = 0x202;
	pinned_now = &in;
	pin_registers(&in, &out, rounds);
	pinned_now = NULL;
	return arch_compare(&in, &out, 0);
}

const char *arch_spin_flags(uint64_t seed, uint64_t rounds)
{
	struct arch_pin in, out;
	const char *why;

	arch_fill(&in, seed);
	pinned_now = &in;
	pin_flags(&in, &out, rounds);
	pinned_now = NULL;
	why = arch_compare_flags(&in, &out);
	return why ? why : arch_compare(&in, &out, 1U << RCX);
}

/*
 * The kernel destroys rcx and r11 and gives its answer in rax; all else, the argument registers too, must come back.
 * *result: 0 or more, or a negative errno.
 */
const char *arch_pinned_syscall(uint64_t seed, long number, const long *argument, int arguments,
					      long *result)
{
	static const int place[] = { RDI, RSI, RDX, R10, R8, R9 };
	struct arch_pin in, out;
	const char *why;

	arch_fill(&in, seed);
	in.gpr[RAX] = (uint64_t)number;
	for (int i = 0; i < arguments; i++)
		in.gpr[place[i]] = (uint64_t)argument[i];
	pin_syscall(&in, &out, 0);
	*result = (long)out.gpr[RAX];
	why = arch_compare_flags(&in, &out);
	return why ? why : arch_compare(&in, &out, 1U << RAX | 1U << RCX | 1U << R11);
}

/* Widths take turns, so that the upper halves are in use at one moment and in their initial state at another. */
const char *arch_spin_vectors(uint64_t seed, uint64_t rounds)
{
	static const struct arch_vectors nothing;
	static __thread struct arch_vectors in, out;
	int width = (int)(seed % 3), regs = 16, bytes = 16;

	if (width == 2 && !(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")))
		width = 1;
	if (width == 1 && !__builtin_cpu_supports("avx"))
		width = 0;
	in = out = nothing;
	if (width == 2)
		regs = 32;
	bytes <<= width;
	for (int i = 0; i < regs; i++)
		for (int k = 0; k < bytes; k += 8) {
			uint64_t v = arch_mix(&seed);
			memcpy(&in.reg[i][k], &v, 8);
		}
	for (int i = 0; i < 8; i++) {
		in.mask[i] = width == 2 ? arch_mix(&seed) : 0;
		in.x87[i] = (double)(arch_mix(&seed) >> 12);
	}
	in.mxcsr = 0x1f80 | (uint32_t)(arch_mix(&seed) & 3) << 13;
	in.control = (uint16_t)(0x037f | (arch_mix(&seed) & 3) << 10);
	(width == 2 ? pin_zmm : width == 1 ? pin_ymm : pin_xmm)(&in, &out, rounds);
	if (!memcmp(&in, &out, sizeof(in)))
		return NULL;
	for (int i = 0; i < 32; i++)
		if (memcmp(in.reg[i], out.reg[i], 64)) {
			snprintf(arch_text, sizeof(arch_text), "vector register %d (%d bytes wide) has changed", i, bytes);
			return arch_text;
		}
	if (memcmp(in.mask, out.mask, sizeof(in.mask)))
		return "an AVX-512 mask register has changed";
	if (memcmp(in.x87, out.x87, sizeof(in.x87)))
		return "an x87 register has changed";
	snprintf(arch_text, sizeof(arch_text), "mxcsr is %#x, was %#x; x87 control word is %#x, was %#x", out.mxcsr,
		 in.mxcsr, out.control, in.control);
	return arch_text;
}

const char *arch_check_interrupted(const ucontext_t *frame)
{
	const char *at = (const char *)frame->uc_mcontext.gregs[REG_RIP];
	bool registers = at >= pin_registers_from && at < pin_registers_to;
	bool flags = at >= pin_flags_from && at < pin_flags_to;

	if (!pinned_now || !(registers || flags))
		return NULL;
	for (int i = 0; i < GPRS; i++)
		if ((uint64_t)frame->uc_mcontext.gregs[gpr_in_frame[i]] != pinned_now->gpr[i] && !(flags && i == RCX)) {
			snprintf(arch_text, sizeof(arch_text), "the signal frame has %s as %#llx, was %#lx", gpr_name[i],
				 frame->uc_mcontext.gregs[gpr_in_frame[i]], pinned_now->gpr[i]);
			return arch_text;
		}
	if (flags && (((uint64_t)frame->uc_mcontext.gregs[REG_EFL] ^ pinned_now->flags) & ARCH_FLAGS))
		return "the signal frame has other flags";
	return NULL;
}

#define VECTORS                                                                                                        \
	"memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",    \
		"xmm12", "xmm13", "xmm14", "xmm15"

void arch_scribble(void)
{
	/* Callee-saved registers too: the compiler puts them back, the pinned stretch must not need that. */
	asm volatile("xor %%ebx, %%ebx; xor %%r12d, %%r12d; xor %%r13d, %%r13d; xor %%r14d, %%r14d; xor %%r15d, %%r15d\n"
		     "fninit\n" ::
			     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			       "r15", "cc", "memory");
	if (__builtin_cpu_supports("avx512f"))
		asm volatile(".irp n, " ALL_32 "\n vpternlogd $0xff, %%zmm\\n, %%zmm\\n, %%zmm\\n\n .endr" ::: VECTORS);
	else
		asm volatile(".irp n, " SIXTEEN "\n pcmpeqd %%xmm\\n, %%xmm\\n\n .endr" ::: VECTORS);
}
