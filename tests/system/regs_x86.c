/* SPDX-License-Identifier: MIT */
/*
 * What few programs of x86_64 do: trap - a thread steps through its own code (TF), and counts; alignment - spins and sleeps with
 * the flags AC and ID set; segment - has a selector in GS beside its base; old - sleeps in calls by int 0x80.
 * arguments: trap alignment segment old
 */
#include "testlib.h"

#if defined(__x86_64__)

#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { TF = 1 << 8, AC = 1 << 18, OLD_FUTEX = 240, SELECTOR = 0x2b };

static volatile uint64_t word;
static volatile uint64_t steps, elsewhere;
static volatile pid_t tid[2];
static pthread_t thread[2];

/* trap */
extern const char step_begin[], step_end[];
uint64_t step(volatile uint64_t *stop);
__asm__(".text\n"
	".globl step, step_begin, step_end\n"
	"step:\n"
	"	xor %eax, %eax\n"
	"	pushfq\n"
	"	orl $0x100, (%rsp)\n"
	"	popfq\n"		/* the first trap comes behind the next instruction */
	"step_begin:\n"
	"1:	inc %rax\n"
	"	mov (%rdi), %rcx\n"
	"	jrcxz 1b\n"
	"	pushfq\n"
	"	andl $~0x100, (%rsp)\n"
	"	popfq\n"		/* the last one comes behind this */
	"step_end:\n"
	"	ret\n");

static void on_step(int number, siginfo_t *info, void *context)
{
	const uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)number, (void)info;
	steps++;
	elsewhere += pc < (uintptr_t)step_begin || pc > (uintptr_t)step_end;
}

static void *steps_through(void *arg)
{
	const uint64_t rounds = step(&word);

	(void)arg;
	return (void *)rounds;
}

/* alignment: rsi: sleep?; returns the flags */
uint64_t hold_flags(volatile uint64_t *stop, long sleeping);
__asm__(".text\n"
	".globl hold_flags\n"
	"hold_flags:\n"
	"	pushfq\n"
	"	orl $0x40000, (%rsp)\n"
	"	popfq\n"
	"	test %rsi, %rsi\n"
	"	jz 1f\n"
	"	mov $202, %eax\n"
	"	mov $128, %esi\n"
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	syscall\n"
	"	jmp 2f\n"
	"1:	mov (%rdi), %rcx\n"
	"	jrcxz 1b\n"
	"2:	pushfq\n"
	"	pop %rax\n"
	"	pushfq\n"
	"	andl $~0x40000, (%rsp)\n"
	"	popfq\n"
	"	ret\n");

static void *holds_flags(void *arg)
{
	tid[(intptr_t)arg] = gettid();
	return (void *)hold_flags(&word, (intptr_t)arg);
}

/* segment */
static uint64_t gs_base(void)
{
	uint64_t base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

static void *holds_segment(void *arg)
{
	const uint64_t base = 0x123456789000 + ((uint64_t)(intptr_t)arg << 20);
	unsigned int selector;

	__asm__ volatile("mov %0, %%gs\n\twrgsbase %1" : : "r"(SELECTOR), "r"(base));
	tid[(intptr_t)arg] = gettid();
	while (!word)
		if (arg)
			test_nap(5);
	__asm__ volatile("mov %%gs, %0" : "=r"(selector));
	expect(selector == SELECTOR, "selector GS is %#x", selector);
	expect(gs_base() == base, "base GS was %#llx and is %#llx", (unsigned long long)base, (unsigned long long)gs_base());
	return NULL;
}

/* old */
static struct low {
	uint32_t word[2];
	struct { int32_t s, ns; } time;
} *low;

static void *sleeps(void *arg)
{
	const intptr_t i = (intptr_t)arg;
	long result;

	tid[i] = gettid();
	__asm__ volatile("int $0x80" : "=a"(result) : "0"((long)OLD_FUTEX), "b"(&low->word[i]), "c"((long)FUTEX_WAIT), "d"(0L),
			 "S"(i ? &low->time : NULL) : "memory");
	return (void *)result;
}

/* Kernels without ia32_emulation, and those of some virtual machines, send SIGSEGV. */
static bool has_old_calls(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		long result;

		__asm__ volatile("int $0x80" : "=a"(result) : "0"(20L) : "memory");
		_exit(result != getpid());
	}
	must(pid);
	must(waitpid(pid, &status, 0));
	return !status;
}

static bool is(const char *name)
{
	return !strcmp(test_argument(), name);
}

void test_setup(void)
{
	const struct sigaction action = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_NODEFER }; /* the mask stays as it is */
	void *(*const body)(void *) = is("trap") ? steps_through : is("alignment") ? holds_flags : is("segment") ? holds_segment : sleeps;
	const bool sleeper = is("alignment") || is("old");

	if (is("segment") && !(getauxval(AT_HWCAP2) & 2))
		test_skip("this processor has no wrgsbase, or this kernel has not heard of it");
	if (is("old") && !has_old_calls())
		test_skip("this kernel has no int 0x80");
	must(sigaction(SIGTRAP, &action, NULL));
	if (is("old")) {
		low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		low->time.s = 3600;
	}
	for (intptr_t i = 0; i < 2 - is("trap"); i++) {
		thread[i] = test_thread(body, (void *)i);
		while (!(is("trap") ? steps : (uint64_t)tid[i]))
			test_nap(1);
		if (sleeper && (is("old") || i))
			test_await_sleep(tid[i]);
	}
}

void test_break(void)
{
	if (is("trap"))
		steps++;
	else if (is("old"))
		low->word[1] = 1, syscall(SYS_tgkill, getpid(), tid[1], SIGTRAP);
	else
		test_fail("nothing outside spoils it");
}

void test_check(void)
{
	const uint64_t before = steps;

	if (is("trap"))
		while (steps < before + 100)
			test_nap(1);
	word = 1;
	for (int i = 0; i < 2 - is("trap"); i++) {
		void *result;

		if (low)
			syscall(SYS_futex, &low->word[i], FUTEX_WAKE, 1, NULL, NULL, 0);
		else
			syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
		pthread_join(thread[i], &result);
		if (is("trap"))
			expect(steps == 3 * (uint64_t)result + 3 && !elsewhere, "%llu steps of %llu rounds, %llu of them elsewhere",
			       (unsigned long long)steps, (unsigned long long)result, (unsigned long long)elsewhere);
		if (is("alignment"))
			expect((uint64_t)result & AC, "%s: flags are %#llx", i ? "sleeping" : "spinning",
			       (unsigned long long)result);
		if (is("old"))
			expect(!result, "futex came back with %ld", (long)result);
	}
}

#else

TEST_SKIPPED("this program knows x86_64")

#endif
