/* SPDX-License-Identifier: MIT */
/*
 * Threads in user mode that hold, in the register where system calls return, what the kernel uses among itself for a call
 * that was interrupted: nobody may take it for one.
 */
#include "testlib.h"

enum { THREADS = 5 };
static const long values[THREADS] = {-512, -513, -514, -516, -4};
static volatile int stop;
static long found[THREADS];
static pthread_t threads[THREADS];
static volatile int running;

/* Holds the value until the word is not 0; returns what it holds then. */
long hold_result(const volatile int *word, long value);

__asm__(
	"	.text\n"
	"	.globl hold_result\n"
#if defined(__x86_64__)
	"hold_result:\n"
	"	mov %rsi, %rax\n"
	"1:	cmpl $0, (%rdi)\n"
	"	je 1b\n"
	"	ret\n"
#elif defined(__aarch64__)
	"hold_result:\n"
	"	mov x2, x0\n"
	"	mov x0, x1\n"
	"1:	ldr w1, [x2]\n"
	"	cbz w1, 1b\n"
	"	ret\n"
#elif defined(__arm__)
	"	.syntax unified\n"
	"	.arm\n"
	"	.type hold_result, %function\n"
	"hold_result:\n"
	"	mov r2, r0\n"
	"	mov r0, r1\n"
	"1:	ldr r1, [r2]\n"
	"	cmp r1, #0\n"
	"	beq 1b\n"
	"	bx lr\n"
#elif defined(__riscv)
	"hold_result:\n"
	"	mv a2, a0\n"
	"	mv a0, a1\n"
	"1:	lw a1, 0(a2)\n"
	"	beqz a1, 1b\n"
	"	ret\n"
#endif
);

static void *body(void *arg)
{
	intptr_t i = (intptr_t)arg;

	__sync_fetch_and_add(&running, 1);
	found[i] = hold_result(&stop, values[i]);
	return NULL;
}

static void *let_main_go(void *arg)
{
	test_wait();
	stop = 1;
	return arg;
}

void test_setup(void)
{
	for (intptr_t i = 1; i < THREADS; i++)
		threads[i] = test_thread(body, (void *)i);
	while (running < THREADS - 1)
		test_nap(1);
	threads[0] = test_thread(let_main_go, NULL);
}

void test_hold(void)
{
	found[0] = hold_result(&stop, values[0]);
}

void test_break(void)
{
	found[0]++;
}

void test_check(void)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++)
		expect(found[i] == values[i], "thread %d held %ld and holds %ld", i, values[i], found[i]);
}
