/* SPDX-License-Identifier: MIT */
/*
 * A handler that runs has interrupted the first bytes of a function of the vDSO, where under another kernel something else lies: the
 * image is refused by name.
 * modes: foreign
 */
#include "testlib.h"

#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <ucontext.h>

#if defined(__x86_64__)
#define PC(context) (context)->uc_mcontext.gregs[REG_RIP]
#elif defined(__aarch64__)
#define PC(context) (context)->uc_mcontext.pc
#elif defined(__arm__)
#define PC(context) (context)->uc_mcontext.arm_pc
#else
#define PC(context) (context)->uc_mcontext.__gregs[0]
#endif

static volatile bool inside, returned;
static pthread_t thread;

/* Where clock_gettime() is; 0: nowhere. */
static unsigned long clock_function(void)
{
	const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
	const ElfW(Ehdr) *e = (const void *)vdso;
	const ElfW(Shdr) *section = vdso ? (const void *)(vdso + e->e_shoff) : NULL;

	for (int i = 0; vdso && i < e->e_shnum; i++) {
		const ElfW(Sym) *symbol = (const void *)(vdso + section[i].sh_offset);

		for (size_t k = 0; section[i].sh_type == SHT_DYNSYM && k < section[i].sh_size / sizeof *symbol; k++)
			if (strstr(vdso + section[section[i].sh_link].sh_offset + symbol[k].st_name, "clock_gettime"))
				return (unsigned long)vdso + (symbol[k].st_value & ~1UL);
	}
	return 0;
}

static void stay(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	const unsigned long pc = (unsigned long)PC(interrupted);

	(void)number, (void)info;
	PC(interrupted) = (__typeof__(PC(interrupted)))(clock_function() + 2);
	inside = true;
	test_wait();
	PC(interrupted) = (__typeof__(PC(interrupted)))pc;
}

static void *handle(void *arg)
{
	raise(SIGUSR1);
	returned = true;
	return arg;
}

void test_setup(void)
{
	const struct sigaction action = { .sa_sigaction = stay, .sa_flags = SA_SIGINFO };
	FILE *expected;

	if (!clock_function())
		test_skip("this kernel has no vDSO with a clock");
	must(sigaction(SIGUSR1, &action, NULL));
	thread = test_thread(handle, NULL);
	while (!inside)
		test_nap(1);
	expected = fopen(test_path("expect"), "w");
	fputs("had interrupted the beginning of a function of the vDSO\n", expected);
	fclose(expected);
	fclose(fopen(test_path("stays-away"), "w"));
}

void test_break(void)
{
	returned = false;
	thread = pthread_self();
}

void test_check(void)
{
	if (!pthread_equal(thread, pthread_self()))
		pthread_join(thread, NULL);
	expect(returned, "the handler did not return");
}
