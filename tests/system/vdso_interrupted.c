/* SPDX-License-Identifier: MIT */
/*
 * A handler that runs has interrupted the first bytes of a function of the vDSO, where under another kernel something else lies: the
 * image is refused by name.  And so is, under the first kernel again, one of a handler that has interrupted what was there instead.
 * modes: foreign
 * arguments: beginning instead
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
static ucontext_t *volatile interrupted;
static volatile unsigned long pc;
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

static void interrupt_at(unsigned long address)
{
	PC(interrupted) = (__typeof__(PC(interrupted)))address;
}

static void stay(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	interrupted = context;
	pc = (unsigned long)PC(interrupted);
	inside = true;
	test_wait();
	interrupt_at(pc);
}

/* Of the mapping that the vDSO is part of; the kernel's own is one by itself. */
static unsigned long mapping_start(unsigned long address)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start = 0, end = 0;
	char line[512];

	while (fgets(line, sizeof line, maps) && sscanf(line, "%lx-%lx", &start, &end) == 2 && end <= address)
		;
	fclose(maps);
	return start;
}

static void be_refused(void)
{
	FILE *expected = fopen(test_path("expect"), "w");

	fputs("had interrupted the beginning of a function of the vDSO\n", expected);
	fclose(expected);
	fclose(fopen(test_path("stays-away"), "w"));
}

/* Once other memory stands where the vDSO was, its functions are jumps to what lies before its code. */
static void *wait_for_another(void *arg)
{
	const void *const function = (const void *)clock_function();
	char beginning[16];

	memcpy(beginning, function, sizeof beginning);
	while (!memcmp(beginning, function, sizeof beginning))
		test_nap(5);
	interrupt_at(mapping_start((unsigned long)function) + 0xa00);
	be_refused();
	return arg;
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

	if (!clock_function())
		test_skip("this kernel has no vDSO with a clock");
	must(sigaction(SIGUSR1, &action, NULL));
	thread = test_thread(handle, NULL);
	while (!inside)
		test_nap(1);
	if (strcmp(test_argument(), "instead")) {
		interrupt_at(clock_function() + 2);
		be_refused();
	} else {
		fclose(fopen(test_path("takes-time"), "w"));
		test_thread(wait_for_another, NULL);
	}
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
