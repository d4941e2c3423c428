/* SPDX-License-Identifier: MIT */
/*
 * Registers of 32-bit ARM, in both of its states: main thread and another hold a value in every one of them and every flag
 * while they spin, others while they sleep in futex(2), with a time and without; and one runs through IT blocks, whose
 * state lies in no register of its own.
 */
#include "testlib.h"

#if defined(__arm__)

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

struct registers {
	uint32_t word;		/* 0: what the futex is */
	uint32_t general[13];	/* 4: r1 to r12, lr */
	uint32_t flags, fpscr;	/* 56 */
	uint32_t next;		/* 64: where a spinning thread goes on */
	uint32_t sp;		/* 68 */
	uint64_t vector[32];	/* 72 */
	uint32_t out[13], flags_out, fpscr_out; /* 328 */
	int32_t result;		/* 388 */
	uint64_t vector_out[32]; /* 392 */
	uint32_t sp_out;	/* 648 */
};

_Static_assert(offsetof(struct registers, vector) == 72 && offsetof(struct registers, out) == 328 &&
		       offsetof(struct registers, vector_out) == 392 && offsetof(struct registers, sp_out) == 648,
	       "the assembly below knows the offsets");

void spin_arm(struct registers *);
void spin_thumb(struct registers *);
void sleep_arm(struct registers *);
void sleep_thumb(struct registers *);
int spin_it(struct registers *);
extern const char spin_arm_again[], spin_arm_out[], spin_thumb_again[], spin_thumb_out[], spin_it_again[], spin_it_out[];

/* r0 is the structure; r11, too, where r0 becomes a result. */
__asm__(
	"	.syntax unified\n"
	"	.fpu neon\n"
	"	.macro load\n"
	"	push {r4-r12, lr}\n"
	"	vpush {d8-d15}\n"
	"	add r1, r0, #72\n"
	"	vldmia r1!, {d0-d15}\n"
	"	vldmia r1, {d16-d31}\n"
	"	ldr r1, [r0, #60]\n"
	"	vmsr fpscr, r1\n"
	"	ldr r1, [r0, #56]\n"
	"	msr APSR_nzcvqg, r1\n"
	"	str sp, [r0, #68]\n"
	"	add lr, r0, #4\n"
	"	ldmia lr, {r1-r12, lr}\n"
	"	.endm\n"
	"	.macro store\n"
	"	str r1, [r0, #328]\n"
	"	str r2, [r0, #332]\n"
	"	str r3, [r0, #336]\n"
	"	str r4, [r0, #340]\n"
	"	str r5, [r0, #344]\n"
	"	str r6, [r0, #348]\n"
	"	str r7, [r0, #352]\n"
	"	str r8, [r0, #356]\n"
	"	str r9, [r0, #360]\n"
	"	str r10, [r0, #364]\n"
	"	str r11, [r0, #368]\n"
	"	str r12, [r0, #372]\n"
	"	str lr, [r0, #376]\n"
	"	str sp, [r0, #648]\n"
	"	mrs r1, APSR\n"
	"	str r1, [r0, #380]\n"
	"	vmrs r1, fpscr\n"
	"	str r1, [r0, #384]\n"
	"	add r1, r0, #392\n"
	"	vstmia r1!, {d0-d15}\n"
	"	vstmia r1, {d16-d31}\n"
	"	mov r1, #0\n"
	"	vmsr fpscr, r1\n"
	"	vpop {d8-d15}\n"
	"	pop {r4-r12, pc}\n"
	"	.endm\n"
	"	.macro both state\n"
	"	.global spin_\\state, sleep_\\state, spin_\\state\\()_again, spin_\\state\\()_out\n"
	"	.type spin_\\state, %function\n"
	"	.type sleep_\\state, %function\n"
	"spin_\\state:\n"
	"	load\n"
	"spin_\\state\\()_again:\n"	/* neither this loop nor its exit touches a flag */
	"	ldr pc, [r0, #64]\n"
	"spin_\\state\\()_out:\n"
	"	store\n"
	"sleep_\\state:\n"
	"	load\n"
	"	svc 0\n"
	"	str r0, [r11, #388]\n"
	"	mov r0, r11\n"
	"	store\n"
	"	.endm\n"
	"	.text\n"
	"	.arm\n"
	"	both arm\n"
	"	.thumb\n"
	"	both thumb\n"
	"	.global spin_it, spin_it_again, spin_it_out\n"
	"	.type spin_it, %function\n"
	"spin_it:\n"
	"	movs r1, #0\n"
	"	movs r2, #0\n"
	"	cmp r1, r1\n"
	"spin_it_again:\n"
	"	.rept 16\n"
	"	itete eq\n"
	"	addeq r1, r1, #1\n"
	"	addne r2, r2, #1\n"
	"	addeq r1, r1, #1\n"
	"	addne r2, r2, #1\n"
	"	.endr\n"
	"	ldr pc, [r0, #64]\n"
	"spin_it_out:\n"
	"	mov r0, r2\n"
	"	bx lr\n");

enum { SPIN_MAIN, SPIN_THUMB, SLEEP_ARM, SLEEP_THUMB, SPIN_IT, HOLDERS };
enum { R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11, R12, LR };

static const char *const names[HOLDERS] = {"spinning, ARM", "spinning, Thumb", "sleeping, ARM", "sleeping, Thumb", "IT"};
static struct registers held[HOLDERS];
static pthread_t threads[HOLDERS];
static volatile pid_t tids[HOLDERS];
static const struct {
	long long seconds, nanoseconds;
} an_hour = {3600, 0};
static const uint32_t THUMB = 1;

static void choose_values(int who)
{
	struct registers *in = &held[who];

	fill_pattern(in->general, sizeof in->general, who);
	fill_pattern(in->vector, sizeof in->vector, who + 100);
	in->flags = 0xa80a0000 >> (who & 1) & 0xf80f0000; /* N, C, Q and some of GE; then Z, V, ... */
	in->fpscr = 0x03c00000 | (uint32_t)who << 28;	/* default NaN, flush to zero, round to zero */
}

static void choose_call(int who, const void *time)
{
	struct registers *in = &held[who];

	in->general[R1] = FUTEX_WAIT | FUTEX_PRIVATE_FLAG;
	in->general[R2] = 0;
	in->general[R3] = (uintptr_t)time;
	in->general[R7] = SYS_futex_time64;
	in->general[R11] = (uintptr_t)in;
}

static void *body(void *arg)
{
	intptr_t who = (intptr_t)arg;
	struct registers *r = &held[who];

	tids[who] = gettid();
	if (who == SPIN_THUMB)
		spin_thumb(r);
	else if (who == SLEEP_ARM)
		sleep_arm(r);
	else if (who == SLEEP_THUMB)
		sleep_thumb(r);
	else
		r->result = spin_it(r);
	return NULL;
}

static void *let_main_go(void *arg)
{
	test_wait();
	held[SPIN_MAIN].next = (uintptr_t)spin_arm_out;
	return arg;
}

void test_setup(void)
{
	for (int i = 0; i < HOLDERS; i++)
		choose_values(i);
	choose_call(SLEEP_ARM, NULL);
	choose_call(SLEEP_THUMB, &an_hour);
	held[SPIN_MAIN].next = (uintptr_t)spin_arm_again;
	held[SPIN_THUMB].next = (uintptr_t)spin_thumb_again | THUMB;
	held[SPIN_IT].next = (uintptr_t)spin_it_again | THUMB;
	for (intptr_t i = SPIN_THUMB; i < HOLDERS; i++) {
		threads[i] = test_thread(body, (void *)i);
		while (!tids[i])
			test_nap(1);
	}
	test_await_sleep(tids[SLEEP_ARM]);
	test_await_sleep(tids[SLEEP_THUMB]);
	threads[SPIN_MAIN] = test_thread(let_main_go, NULL);
}

void test_hold(void)
{
	spin_arm(&held[SPIN_MAIN]);
}

void test_break(void)
{
	held[SPIN_THUMB].vector[9] ^= 1;
}

static void compare(const char *who, const struct registers *r)
{
	for (int i = R1; i <= LR; i++)	/* a 64-bit kernel puts the number of restart_syscall(2) into r7 */
		expect(r->out[i] == r->general[i] || (i == R7 && r == &held[SLEEP_THUMB] && r->out[i] == SYS_restart_syscall),
		       "%s: r%d was %#x and is %#x", who, i == LR ? 14 : i + 1, r->general[i], r->out[i]);
	expect((r->flags_out & 0xf80f0000) == r->flags, "%s: flags were %#x and are %#x", who, r->flags, r->flags_out);
	for (int i = 0; i < 32; i++)
		expect(r->vector_out[i] == r->vector[i], "%s: d%d differs", who, i);
	expect(r->fpscr_out == r->fpscr, "%s: fpscr was %#x and is %#x", who, r->fpscr, r->fpscr_out);
	expect(r->sp == r->sp_out, "%s: the stack pointer moved", who);
}

void test_check(void)
{
	held[SPIN_THUMB].next = (uintptr_t)spin_thumb_out | THUMB;
	held[SPIN_IT].next = (uintptr_t)spin_it_out | THUMB;
	for (int i = SLEEP_ARM; i <= SLEEP_THUMB; i++) {
		held[i].word = 1;
		syscall(SYS_futex, &held[i].word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	}
	for (int i = 0; i < HOLDERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SPIN_IT; i++)
		compare(names[i], &held[i]);
	for (int i = SLEEP_ARM; i <= SLEEP_THUMB; i++)
		expect(held[i].result == 0, "%s: futex came back with %d", names[i], held[i].result);
	expect(held[SPIN_IT].result == 0, "%d instructions ran whose condition did not hold", held[SPIN_IT].result);
}

#else

TEST_SKIPPED("this program knows the registers of 32-bit ARM only")

#endif
