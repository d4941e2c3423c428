/* SPDX-License-Identifier: MIT */
/*
 * Main thread and another one compute in code that a program has made itself, as just-in-time compilers do, and put where nothing
 * else is for hundreds of MiB: whoever is led away from there comes back, although no jump comes so far.
 */
#include "testlib.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Holds the value until the word is not 0; returns what it holds then. */
long code_begins(const volatile int *word, long value);
extern const char code_ends[];

__asm__(
	"	.text\n"
	"	.globl code_begins, code_ends\n"
#if defined(__x86_64__)
	"code_begins:\n"
	"	mov %rsi, %rax\n"
	"1:	cmpl $0, (%rdi)\n"
	"	je 1b\n"
	"	ret\n"
#elif defined(__aarch64__)
	"code_begins:\n"
	"	mov x2, x0\n"
	"	mov x0, x1\n"
	"1:	ldr w1, [x2]\n"
	"	cbz w1, 1b\n"
	"	ret\n"
#elif defined(__arm__)
	"	.syntax unified\n"
	"	.arm\n"
	"code_begins:\n"
	"	mov r2, r0\n"
	"	mov r0, r1\n"
	"1:	ldr r1, [r2]\n"
	"	cmp r1, #0\n"
	"	beq 1b\n"
	"	bx lr\n"
#elif defined(__riscv)
	"code_begins:\n"
	"	mv a2, a0\n"
	"	mv a0, a1\n"
	"1:	lw a1, 0(a2)\n"
	"	beqz a1, 1b\n"
	"	ret\n"
#endif
	"code_ends:\n"
);

enum { THREADS = 2 };
static const size_t ROOM = 640UL << 20;
static const long values[THREADS] = { 0x12345678, -4 };
static long (*hold)(const volatile int *word, long value);
static volatile int stop, running;
static long found[THREADS];
static pthread_t thread;

static void *body(void *arg)
{
	running = 1;
	found[1] = hold(&stop, values[1]);
	return arg;
}

static void *let_main_go(void *arg)
{
	test_wait();
	stop = 1;
	return arg;
}

void test_setup(void)
{
	const size_t len = (size_t)(code_ends - (const char *)(uintptr_t)code_begins), page = (size_t)getpagesize();
	char *room = must(mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	char *code = room + ROOM / 2;

	must(mprotect(code, page, PROT_READ | PROT_WRITE));
	memcpy(code, (const void *)(uintptr_t)code_begins, len);
	must(mprotect(code, page, PROT_READ | PROT_EXEC));
	__builtin___clear_cache(code, code + len);
	hold = (long (*)(const volatile int *, long))(uintptr_t)code;
	thread = test_thread(body, NULL);
	while (!running)
		test_nap(1);
	test_thread(let_main_go, NULL);
}

void test_hold(void)
{
	found[0] = hold(&stop, values[0]);
}

void test_break(void)
{
	found[0]++;
}

void test_check(void)
{
	pthread_join(thread, NULL);
	for (int i = 0; i < THREADS; i++)
		expect(found[i] == values[i], "thread %d held %#lx and holds %#lx", i, values[i], found[i]);
}
