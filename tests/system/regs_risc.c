/* SPDX-License-Identifier: MIT */
/*
 * Registers of aarch64 and riscv64: one thread holds a value in every one of them, and in every flag, while it spins on a
 * memory word; others hold what a system call must preserve while they sleep in futex(2), with a time and without.
 * riscv64's vector registers are not among them: see refuse/kinds.
 */
#include "testlib.h"

#if defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64)

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct registers {
	uint64_t in[32], out[32], saved[32]; /* 0, 256, 512: by number */
	uint64_t flags, flags_out;	/* 768, 776 */
	uint64_t sp, sp_out;		/* 784, 792 */
	uint64_t word, pad;		/* 800: what is polled, and the futex */
	uint64_t float_saved[32];	/* 816 */
	uint8_t vector[32][16];		/* 1072 */
	uint8_t vector_out[32][16];	/* 1584 */
};
_Static_assert(offsetof(struct registers, flags) == 768 && offsetof(struct registers, vector_out) == 1584,
	       "the assembly below knows the offsets");

void spin_with_registers(struct registers *);
void sleep_with_registers(struct registers *);

#define ALL "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"

#if defined(__aarch64__)

/* x0 is the structure, x28 while a call is made; x1 polls. */
#define HELD "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30"
#define KEPT "18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30"
enum { FIRST = 2, ARGUMENT = 0, BASE = 28, NR = 8, VECTOR_BYTES = 16, STRIDE = 16 };
static const uint64_t flags = 0xa0000000;

__asm__(
	"	.macro load\n"
	"	.irp n, " KEPT "\n"
	"	str x\\n, [x0, #512 + 8 * \\n]\n"
	"	.endr\n"
	"	.irp n, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	str d\\n, [x0, #816 + 8 * \\n]\n"
	"	.endr\n"
	"	.irp n, " ALL "\n"
	"	ldr q\\n, [x0, #1072 + 16 * \\n]\n"
	"	.endr\n"
	"	ldr x1, [x0, #768]\n"
	"	msr nzcv, x1\n"
	"	mov x1, sp\n"
	"	str x1, [x0, #784]\n"
	"	.irp n, " HELD "\n"
	"	ldr x\\n, [x0, #8 * \\n]\n"
	"	.endr\n"
	"	.endm\n"
	"	.macro store\n"
	"	.irp n, " HELD "\n"
	"	str x\\n, [x0, #256 + 8 * \\n]\n"
	"	.endr\n"
	"	mrs x1, nzcv\n"
	"	str x1, [x0, #776]\n"
	"	mov x1, sp\n"
	"	str x1, [x0, #792]\n"
	"	.irp n, " ALL "\n"
	"	str q\\n, [x0, #1584 + 16 * \\n]\n"
	"	.endr\n"
	"	.irp n, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	ldr d\\n, [x0, #816 + 8 * \\n]\n"
	"	.endr\n"
	"	.irp n, " KEPT "\n"
	"	ldr x\\n, [x0, #512 + 8 * \\n]\n"
	"	.endr\n"
	"	ret\n"
	"	.endm\n"
	"	.text\n"
	"	.global spin_with_registers, sleep_with_registers\n"
	"spin_with_registers:\n"
	"	load\n"
	"1:	ldr x1, [x0, #800]\n"
	"	cbz x1, 1b\n"
	"	store\n"
	"sleep_with_registers:\n"
	"	load\n"
	"	ldr x1, [x0, #8]\n"
	"	ldr x0, [x0]\n"
	"	svc #0\n"
	"	str x0, [x28, #256]\n"
	"	mov x0, x28\n"
	"	store\n");

#else

/* a0 is the structure, s11 while a call is made; a1 polls; gp and tp are left alone. */
#define HELD "5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31"
#define KEPT "8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27"
enum { FIRST = 5, ARGUMENT = 10, BASE = 27, NR = 17, VECTOR_BYTES = 8, STRIDE = 8 };
static const uint64_t flags = 0x75;	/* fcsr */

__asm__(
	"	.macro load\n"
	"	.irp n, " KEPT "\n"
	"	sd x\\n, 512 + 8 * \\n(a0)\n"
	"	fsd f\\n, 816 + 8 * \\n(a0)\n"
	"	.endr\n"
	"	.irp n, " ALL "\n"
	"	fld f\\n, 1072 + 8 * \\n(a0)\n"
	"	.endr\n"
	"	ld a1, 768(a0)\n"
	"	fscsr a1\n"
	"	sd sp, 784(a0)\n"
	"	sd ra, 512 + 8(a0)\n"
	"	.irp n, " HELD "\n"
	"	ld x\\n, 8 * \\n(a0)\n"
	"	.endr\n"
	"	.endm\n"
	"	.macro store\n"
	"	.irp n, " HELD "\n"
	"	sd x\\n, 256 + 8 * \\n(a0)\n"
	"	.endr\n"
	"	frcsr a1\n"
	"	sd a1, 776(a0)\n"
	"	fscsr zero\n"
	"	sd sp, 792(a0)\n"
	"	.irp n, " ALL "\n"
	"	fsd f\\n, 1584 + 8 * \\n(a0)\n"
	"	.endr\n"
	"	.irp n, " KEPT "\n"
	"	ld x\\n, 512 + 8 * \\n(a0)\n"
	"	fld f\\n, 816 + 8 * \\n(a0)\n"
	"	.endr\n"
	"	ld ra, 512 + 8(a0)\n"
	"	ret\n"
	"	.endm\n"
	"	.text\n"
	"	.global spin_with_registers, sleep_with_registers\n"
	"spin_with_registers:\n"
	"	load\n"
	"1:	ld a1, 800(a0)\n"
	"	beqz a1, 1b\n"
	"	store\n"
	"sleep_with_registers:\n"
	"	load\n"
	"	ld a1, 8 * 11(a0)\n"
	"	ld a0, 8 * 10(a0)\n"
	"	ecall\n"
	"	sd a0, 256 + 8 * 10(s11)\n"
	"	mv a0, s11\n"
	"	store\n");

#endif

static struct registers spin, sleeping[2];
static const struct timespec long_time = {3600, 0};
static pthread_t spinner, sleeper[2];
static pid_t tid[2];

static void choose_values(struct registers *r, int seed)
{
	for (int i = 0; i < 32; i++) {
		r->in[i] = 0x0101010101010101 * (uint64_t)(i + 1) + ((uint64_t)seed << 56);
		for (int j = 0; j < 16; j++)
			r->vector[i][j] = (uint8_t)(seed * 16 + i * 7 + j);
	}
	r->flags = flags;
}

static void *spins(void *arg)
{
	spin_with_registers(&spin);
	return arg;
}

static void *sleeps(void *arg)
{
	const intptr_t i = (intptr_t)arg;

	tid[i] = gettid();
	sleep_with_registers(&sleeping[i]);
	return arg;
}

void test_setup(void)
{
	choose_values(&spin, 1);
	spinner = test_thread(spins, NULL);
	for (intptr_t i = 0; i < 2; i++) {
		struct registers *r = &sleeping[i];

		choose_values(r, 2 + (int)i);
		r->in[NR] = SYS_futex;
		r->in[ARGUMENT] = (uintptr_t)&r->word;
		r->in[ARGUMENT + 1] = FUTEX_WAIT | FUTEX_PRIVATE_FLAG;
		r->in[ARGUMENT + 2] = 0;
		r->in[ARGUMENT + 3] = i ? (uintptr_t)&long_time : 0;
		r->in[BASE] = (uintptr_t)r;
		sleeper[i] = test_thread(sleeps, (void *)i);
		while (!tid[i])
			test_nap(1);
		test_await_sleep(tid[i]);
	}
}

void test_break(void)
{
	spin.in[FIRST + 3] ^= 1;
}

static void compare(const char *who, const struct registers *r, uint32_t without)
{
	for (int i = FIRST; i < (FIRST == 2 ? 31 : 32); i++)
		expect(without >> i & 1 || r->in[i] == r->out[i], "%s: register %d was %#llx and is %#llx", who, i,
		       (unsigned long long)r->in[i], (unsigned long long)r->out[i]);
	for (int i = 0; i < 32; i++)
		expect(!memcmp(&r->vector[0][i * STRIDE], &r->vector_out[0][i * STRIDE], VECTOR_BYTES),
		       "%s: floating point register %d differs", who, i);
	expect((r->flags_out & 0xffffffff) == r->flags, "%s: flags were %#llx and are %#llx", who, (unsigned long long)r->flags,
	       (unsigned long long)r->flags_out);
	expect(r->sp == r->sp_out, "%s: the stack pointer was %#llx and is %#llx", who, (unsigned long long)r->sp,
	       (unsigned long long)r->sp_out);
}

void test_check(void)
{
	/* the number of a call that was gone on with is another one: the kernel, too, does that */
	const uint32_t poll = FIRST == 2 ? 0 : 1u << 10 | 1u << 11;

	spin.word = 1;
	pthread_join(spinner, NULL);
	compare("spinning", &spin, poll);
	for (int i = 0; i < 2; i++) {
		sleeping[i].word = 1;
		syscall(SYS_futex, &sleeping[i].word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
		pthread_join(sleeper[i], NULL);
		expect(sleeping[i].out[ARGUMENT] == 0, "futex came back with %lld", (long long)sleeping[i].out[ARGUMENT]);
		compare(i ? "sleeping for some time" : "sleeping", &sleeping[i], poll | (i ? 1u << NR : 0));
	}
}

#else

TEST_SKIPPED("this program knows the registers of aarch64 and riscv64")

#endif
