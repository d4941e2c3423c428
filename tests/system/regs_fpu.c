/* SPDX-License-Identifier: MIT */
/*
 * Registers: one thread holds a value in every general, vector, mask and x87 register and every flag while it spins on a
 * memory word; a second one holds what a system call must preserve while it sleeps in futex(2).
 */
#include "testlib.h"

#if defined(__x86_64__)

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Order of general registers: rax rbx rcx rdx rsi rdi rbp r8 ... r15. rcx polls; in the sleeper the call takes more. */
struct registers {
	uint64_t general[15], flags;
	uint8_t vector[32][64] __attribute__((aligned(64)));
	uint64_t mask[8];
	uint8_t x87[4][16];
	uint32_t mxcsr, level; /* level: 0 SSE, 1 AVX, 2 AVX-512 */
	uint16_t x87_control, pad[3];
	uint64_t stop; /* the word that is polled, and the futex */
	uint64_t stack;
};

_Static_assert(offsetof(struct registers, vector) == 128, "the assembly below knows the offsets");
_Static_assert(offsetof(struct registers, mask) == 2176, "");
_Static_assert(offsetof(struct registers, x87) == 2240, "");
_Static_assert(offsetof(struct registers, mxcsr) == 2304, "");
_Static_assert(offsetof(struct registers, x87_control) == 2312, "");
_Static_assert(offsetof(struct registers, stop) == 2320, "");
_Static_assert(offsetof(struct registers, stack) == 2328, "");

struct registers spin_in, spin_out, sleep_in, sleep_out;
void spin_with_registers(void);
void sleep_with_registers(void);

/* Memory is addressed relative to the program counter, so that every register is free to hold a value. */
__asm__(
	".macro each_vector action, from, to, kind, area\n"
	"	.set i, \\from\n"
	"	.rept \\to - \\from + 1\n"
	"	\\action \\kind, %i, \\area\n"
	"	.set i, i + 1\n"
	"	.endr\n"
	".endm\n"
	".altmacro\n"
	".macro load_vector kind, n, area\n"
	"	.ifc \\kind, zmm\n"
	"	vmovdqu64 \\area + 128 + 64 * \\n(%rip), %zmm\\n\n"
	"	.else\n"
	"	.ifc \\kind, ymm\n"
	"	vmovdqu \\area + 128 + 64 * \\n(%rip), %ymm\\n\n"
	"	.else\n"
	"	movdqu \\area + 128 + 64 * \\n(%rip), %xmm\\n\n"
	"	.endif\n"
	"	.endif\n"
	".endm\n"
	".macro store_vector kind, n, area\n"
	"	.ifc \\kind, zmm\n"
	"	vmovdqu64 %zmm\\n, \\area + 128 + 64 * \\n(%rip)\n"
	"	.else\n"
	"	.ifc \\kind, ymm\n"
	"	vmovdqu %ymm\\n, \\area + 128 + 64 * \\n(%rip)\n"
	"	.else\n"
	"	movdqu %xmm\\n, \\area + 128 + 64 * \\n(%rip)\n"
	"	.endif\n"
	"	.endif\n"
	".endm\n"
	".macro move_masks load, area\n"
	"	.irp n, 1, 2, 3, 4, 5, 6, 7\n"
	"	.if \\load\n"
	"	kmovw \\area + 2176 + 8 * \\n(%rip), %k\\n\n"
	"	.else\n"
	"	kmovw %k\\n, \\area + 2176 + 8 * \\n(%rip)\n"
	"	.endif\n"
	"	.endr\n"
	".endm\n"
	".macro all_vectors action, load, area\n"
	"	cmpl $1, \\area + 2308(%rip)\n"
	"	ja 2f\n"
	"	je 1f\n"
	"	each_vector \\action, 0, 15, xmm, \\area\n"
	"	jmp 3f\n"
	"1:	each_vector \\action, 0, 15, ymm, \\area\n"
	"	jmp 3f\n"
	"2:	each_vector \\action, 0, 31, zmm, \\area\n"
	"	move_masks \\load, \\area\n"
	"3:\n"
	".endm\n"
	".macro move_general from_memory, area\n"
	"	.set at, 0\n"
	"	.irp name, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15\n"
	"	.if \\from_memory\n"
	"	mov \\area + at(%rip), %\\name\n"
	"	.else\n"
	"	mov %\\name, \\area + at(%rip)\n"
	"	.endif\n"
	"	.set at, at + 8\n"
	"	.endr\n"
	".endm\n"
	".macro hold in, out, sleeping\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, \\out + 2328(%rip)\n"
	"	fninit\n"
	"	fldcw \\in + 2312(%rip)\n"
	"	fldt \\in + 2240(%rip)\n"
	"	fldt \\in + 2256(%rip)\n"
	"	fldt \\in + 2272(%rip)\n"
	"	ldmxcsr \\in + 2304(%rip)\n"
	"	all_vectors load_vector, 1, \\in\n"
	"	pushq \\in + 120(%rip)\n"
	"	popfq\n"
	"	move_general 1, \\in\n"
	"	.if \\sleeping\n"
	"	syscall\n"
	"	.else\n"
	"4:	pause\n"                     /* neither this loop nor its exit touches a flag */
	"	mov \\in + 2320(%rip), %rcx\n"
	"	jrcxz 4b\n"
	"	.endif\n"
	"	move_general 0, \\out\n"
	"	pushfq\n"
	"	popq \\out + 120(%rip)\n"
	"	cld\n"
	"	all_vectors store_vector, 0, \\out\n"
	"	stmxcsr \\out + 2304(%rip)\n"
	"	fstpt \\out + 2272(%rip)\n"
	"	fstpt \\out + 2256(%rip)\n"
	"	fstpt \\out + 2240(%rip)\n"
	"	fnstcw \\out + 2312(%rip)\n"
	"	fninit\n"
	"	sub %rsp, \\out + 2328(%rip)\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	cmpl $0, \\out + 2308(%rip)\n"
	"	je 5f\n"
	"	vzeroupper\n"
	"5:	pushq $0x1f80\n"
	"	ldmxcsr (%rsp)\n"
	"	add $8, %rsp\n"
	"	ret\n"
	".endm\n"
	".text\n"
	".globl spin_with_registers, sleep_with_registers\n"
	"spin_with_registers:\n"
	"	hold spin_in, spin_out, 0\n"
	"sleep_with_registers:\n"
	"	hold sleep_in, sleep_out, 1\n"
	".noaltmacro\n");

enum { ALL_FLAGS = 0xcd5 | 0x2 | 0x200, RAX = 0, RCX = 2, RDX = 3, RSI = 4, RDI = 5, R10 = 9, R11 = 10 };

static const char *const names[15] = {
	"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};
static pthread_t spinner, sleeper;
static volatile pid_t sleeper_tid;

static uint32_t vector_level(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") ? 2 : __builtin_cpu_supports("avx") ? 1 : 0;
}

static void choose_values(struct registers *in, uint64_t seed)
{
	static const uint8_t exponent[2] = {0x0a, 0x40};

	fill_pattern(in->general, sizeof in->general, seed);
	fill_pattern(in->vector, sizeof in->vector, seed + 1);
	for (int i = 1; i < 8; i++)
		in->mask[i] = 0x1234 * (i + seed) & 0xffff;
	for (int i = 0; i < 3; i++) {
		/* A normalised number: top bit of the significand set, a small exponent. */
		fill_pattern(in->x87[i], 8, seed + 10 + i);
		in->x87[i][7] |= 0x80;
		memcpy(in->x87[i] + 8, exponent, 2);
	}
	in->mxcsr = 0x1f80 | 0x6000 | 0x8040; /* round to zero, flush to zero, denormals are zero */
	in->x87_control = 0x0c7f; /* round to zero, single precision */
	in->flags = ALL_FLAGS;
	in->level = vector_level();
}

static void compare(const char *who, const struct registers *in, const struct registers *out, unsigned clobbered)
{
	size_t width = in->level == 2 ? 64 : in->level == 1 ? 32 : 16;

	for (int i = 0; i < 15; i++)
		expect(clobbered >> i & 1 || in->general[i] == out->general[i], "%s: %s was %#llx and is %#llx", who, names[i],
		       (unsigned long long)in->general[i], (unsigned long long)out->general[i]);
	expect((out->flags & 0xcd5) == (in->flags & 0xcd5), "%s: flags were %#llx and are %#llx", who,
	       (unsigned long long)in->flags, (unsigned long long)out->flags);
	for (int i = 0; i < (in->level == 2 ? 32 : 16); i++)
		expect(memcmp(in->vector[i], out->vector[i], width) == 0, "%s: vector register %d differs", who, i);
	for (int i = 1; i < 8 && in->level == 2; i++)
		expect((in->mask[i] & 0xffff) == (out->mask[i] & 0xffff), "%s: mask register k%d was %#llx and is %#llx", who,
		       i, (unsigned long long)in->mask[i], (unsigned long long)out->mask[i]);
	for (int i = 0; i < 3; i++)
		expect(memcmp(in->x87[i], out->x87[i], 10) == 0, "%s: x87 register %d differs", who, i);
	expect(in->mxcsr == (out->mxcsr & ~0x3fU), "%s: mxcsr was %#x and is %#x", who, in->mxcsr, out->mxcsr);
	expect(in->x87_control == out->x87_control, "%s: x87 control word was %#x and is %#x", who, in->x87_control,
	       out->x87_control);
	expect(out->stack == 0, "%s: the stack pointer moved by %lld", who, -(long long)out->stack);
}

static void *spin(void *arg)
{
	spin_with_registers();
	return arg;
}

static void *sleep_in_call(void *arg)
{
	sleeper_tid = gettid();
	sleep_with_registers();
	return arg;
}

void test_setup(void)
{
	choose_values(&spin_in, 1);
	choose_values(&sleep_in, 2);
	spin_out.level = sleep_out.level = spin_in.level;
	sleep_in.general[RAX] = SYS_futex;
	sleep_in.general[RDI] = (uintptr_t)&sleep_in.stop;
	sleep_in.general[RSI] = FUTEX_WAIT | FUTEX_PRIVATE_FLAG;
	sleep_in.general[RDX] = 0;
	sleep_in.general[R10] = 0;
	spinner = test_thread(spin, NULL);
	sleeper = test_thread(sleep_in_call, NULL);
	while (!sleeper_tid)
		test_nap(1);
	test_await_sleep(sleeper_tid);
}

void test_break(void)
{
	spin_in.vector[9][3] ^= 1;
}

void test_check(void)
{
	test_await_sleep(sleeper_tid);	/* until then the word may not change, or futex(2) is right to return EAGAIN */
	sleep_in.stop = spin_in.stop = 1;
	syscall(SYS_futex, &sleep_in.stop, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	pthread_join(spinner, NULL);
	pthread_join(sleeper, NULL);
	expect(sleep_out.general[RAX] == 0, "futex came back with %lld", (long long)sleep_out.general[RAX]);
	compare("spinning", &spin_in, &spin_out, 1 << RCX);
	compare("sleeping", &sleep_in, &sleep_out, 1 << RAX | 1 << RCX | 1 << R11);
}

#else

TEST_SKIPPED("this program knows the registers of x86_64 only")

#endif
