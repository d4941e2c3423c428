/* SPDX-License-Identifier: MIT */
/*
 * A 32-bit program on a 64-bit kernel, in a tree of others.
 * modes: refuse
 */
#include "testlib.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { MACHINE = EM_386, FLAGS = 0 };
static const uint8_t code[] = { 0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7 };	/* mov $29, %eax (pause); int $0x80; jmp */
#elif defined(__aarch64__)
enum { MACHINE = EM_ARM, FLAGS = EF_ARM_EABI_VER5 };
static const uint32_t code[] = { 0xe3a0701d, 0xef000000, 0xeafffffc };	/* mov r7, #29 (pause); svc 0; b */
#else
enum { MACHINE = EM_NONE, FLAGS = 0 };
static const uint8_t code[] = { 0 };
#endif

struct narrow {
	Elf32_Ehdr e;
	Elf32_Phdr p;
	uint8_t code[sizeof(code)];
};
enum { BASE = 0x10000 };

static void become_narrow(void *arg)
{
	struct narrow n = {
		.e = { .e_type = ET_EXEC, .e_machine = MACHINE, .e_version = EV_CURRENT, .e_entry = BASE + offsetof(struct narrow, code),
		       .e_phoff = offsetof(struct narrow, p), .e_flags = FLAGS, .e_ehsize = sizeof(n.e), .e_phentsize = sizeof(n.p),
		       .e_phnum = 1 },
		.p = { .p_type = PT_LOAD, .p_vaddr = BASE, .p_filesz = sizeof(n), .p_memsz = sizeof(n), .p_flags = PF_R | PF_X,
		       .p_align = BASE },
	};
	int fd = must(open(test_path("narrow"), O_WRONLY | O_CREAT, 0700));

	memcpy(n.e.e_ident, (uint8_t[EI_NIDENT]){ ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT }, EI_NIDENT);
	memcpy(n.code, code, sizeof(code));
	must(write(fd, &n, sizeof(n)));
	must(close(fd));
	test_child_ready();
	execl(test_path("narrow"), "narrow", NULL);
	(void)arg;
	_exit(0);
}

static pid_t child;

/* One whose system calls the kernel answers with SIGSEGV looks like any other at first. */
static bool ends_soon(void)
{
	siginfo_t info = { 0 };

	for (int looks = 0; looks < 50 && !info.si_pid; looks++) {
		test_nap(5);
		must(waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT));
	}
	return info.si_pid == child;
}

void test_setup(void)
{
	char exe[64], path[4096];
	ssize_t n = -1;

	if (MACHINE == EM_NONE)
		test_skip("there are no such programs here");
	child = test_child(become_narrow, NULL);
	snprintf(exe, sizeof exe, "/proc/%d/exe", child);
	for (int looks = 0; looks < 500; looks++) {
		n = readlink(exe, path, sizeof path - 1);
		if (n < 0 || strstr((path[n] = '\0', path), "/narrow"))
			break;
		test_nap(2);
	}
	if (n < 0 || ends_soon())
		test_skip("this kernel runs no 32-bit programs");
	test_await_sleep(child);
	test_expect_message("pid %d (narrow): ", child);
	test_expect_message("a 32-bit program on a 64-bit kernel");
}

void test_break(void)
{
	test_fail("broken");
}

void test_check(void)
{
	must(kill(child, 0));
}
