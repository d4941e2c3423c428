/* SPDX-License-Identifier: MIT */
/* The 128 bytes below the stack pointer belong to the function: while it spins, and while it sleeps in a call. */
#include "testlib.h"

#if defined(__x86_64__)

#include "selfview.h"

#include <linux/futex.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int hold_in_red_zone(volatile int *stop, long sleeping, unsigned long seed);

/* Fills 16 words below rsp, waits, counts the words that differ. rdi: word to wait for, rsi: sleep?, rdx: seed. */
__asm__(
	".text\n"
	".globl hold_in_red_zone\n"
	"hold_in_red_zone:\n"
	"	mov %rdx, %r8\n"
	"	mov $-128, %r9\n"
	"1:	lea (%r8, %r9), %rax\n"
	"	mov %rax, (%rsp, %r9)\n"
	"	add $8, %r9\n"
	"	jnz 1b\n"
	"	test %rsi, %rsi\n"
	"	jz 2f\n"
	"	mov $202, %eax\n" /* futex(stop, FUTEX_WAIT_PRIVATE, 0, NULL) */
	"	mov $128, %esi\n"
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	syscall\n"
	"	jmp 3f\n"
	"2:	pause\n"
	"	cmpl $0, (%rdi)\n"
	"	je 2b\n"
	"3:	xor %eax, %eax\n"
	"	mov $-128, %r9\n"
	"4:	lea (%r8, %r9), %rcx\n"
	"	cmp %rcx, (%rsp, %r9)\n"
	"	je 5f\n"
	"	inc %eax\n"
	"5:	add $8, %r9\n"
	"	jnz 4b\n"
	"	ret\n");

static volatile int stop;
static volatile pid_t tid[2];
static pthread_t thread[2];

static void *body(void *arg)
{
	intptr_t sleeping = (intptr_t)arg;

	tid[sleeping] = gettid();
	return (void *)(intptr_t)hold_in_red_zone(&stop, sleeping, 0x1122334455667700UL + sleeping);
}

void test_setup(void)
{
	for (intptr_t i = 0; i < 2; i++)
		thread[i] = test_thread(body, (void *)i);
	while (!tid[0] || !tid[1])
		test_nap(1);
	test_await_sleep(tid[1]);
}

/* The red zone of the sleeper can be seen from here: its stack pointer is in its syscall file. */
void test_break(void)
{
	char path[64], text[512];
	unsigned long stack_pointer = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid[1]);
	file_content(path, text, sizeof text);
	sscanf(text, "%*s %*s %*s %*s %*s %*s %*s %lx", &stack_pointer);
	((volatile char *)stack_pointer)[-100] ^= 1;
}

void test_check(void)
{
	stop = 1;
	syscall(SYS_futex, &stop, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
	for (int i = 0; i < 2; i++) {
		void *different;

		pthread_join(thread[i], &different);
		expect(!different, "%ld words of the red zone changed while %s", (long)(intptr_t)different,
		       i ? "sleeping" : "spinning");
	}
}

#else

TEST_SKIPPED("this architecture has no red zone")

#endif
