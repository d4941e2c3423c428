/* SPDX-License-Identifier: MIT */
/*
 * A program that was started without the right to use RISC-V's vectors (PR_RISCV_V_SET_CONTROL), which a thread cannot give
 * up later on.
 * modes: refuse
 */
#include "testlib.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SET = 69, GET = 70, OFF = 1, ON = 2, NEXT = 2 /* bits up: after execve(2) */ };

/* The same program with the same words once more. */
static void start_again(void)
{
	char words[4096], *argv[16];
	int fd = must(open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)), n = 0;
	ssize_t len = must(read(fd, words, sizeof words));

	for (char *word = words; word < words + len && n < 15; n++) {
		argv[n] = word;
		while (*word++)
			;
	}
	argv[n] = NULL;
	must(execv("/proc/self/exe", argv));
}

void test_setup(void)
{
	int control = -1;

#if defined(__riscv)
	control = prctl(GET, 0, 0, 0, 0);
#endif
	if (control < 0)
		test_skip("this processor has no vectors that can be turned off");
	if (control == OFF) {
		test_check_is_blind();
		test_expect_message("pid %d (exe): thread %d: ", getpid(), getpid());
		return;
	}
	must(prctl(SET, ON | OFF << NEXT, 0, 0, 0));
	start_again();
}

void test_break(void)
{
	test_fail("broken");
}

void test_check(void)
{
	expect(prctl(GET, 0, 0, 0, 0) == OFF, "vectors may be used: %#x", prctl(GET, 0, 0, 0, 0));
}
