/* SPDX-License-Identifier: MIT */
/* Register sets of a machine that has less of them, as an image may bring them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch.h"
#include "kernel/ptrace.h"

static void shorter_set(void **state)
{
	enum { LEAST = 576 };	/* of XSAVE: x87, SSE, and the header that tells what else there is */
	uint8_t set[ARCH_REGSET_MAX], now[ARCH_REGSET_MAX];
	size_t len = sizeof(set), now_len = sizeof(now);
	struct stop stop;
	const pid_t pid = fork();

	(void)state;
	if (!pid)
		for (;;)
			pause();
	assert_int_equal(thread_seize(pid, 0), 0);
	assert_int_equal(thread_halt(pid, &stop), 0);
	if (!ARCH_REGSET_WHOLE || thread_regset(pid, ARCH_REGSET_WHOLE, set, &len) || len <= LEAST) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		print_message("skip reason: no set of registers here has a length that depends on the processor\n");
		skip();
	}
	set[160] ^= 0x55;	/* XMM0 */
	memset(set + 512, 0, 8);
	set[512] = 3;		/* XSTATE_BV: those two */
	assert_int_not_equal(thread_set_regset(pid, ARCH_REGSET_WHOLE, set, LEAST), 0);
	assert_int_equal(thread_fill_regset(pid, ARCH_REGSET_WHOLE, set, LEAST), 0);
	assert_int_equal(thread_regset(pid, ARCH_REGSET_WHOLE, now, &now_len), 0);
	assert_int_equal(now_len, len);
	assert_memory_equal(now + 160, set + 160, 16);
	assert_int_equal(now[512] & ~3, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(shorter_set) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
