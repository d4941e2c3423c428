/* SPDX-License-Identifier: MIT */
/* Which call a thread goes on with by restart_syscall(2), by the code that made it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/syscall.h>

#include "arch.h"

#ifdef __x86_64__

static long decode(const char *text, size_t len)
{
	uint8_t code[32];

	memset(code, 0x90, sizeof(code));
	memcpy(code + sizeof(code) - len, text, len);
	return arch_decode_syscall(code, sizeof(code));
}
#define DECODE(text) decode(text, sizeof(text) - 1)

static void test_decode(void **state)
{
	(void)state;
	assert_int_equal(DECODE("\xb8\x23\0\0\0\x0f\x05"), SYS_nanosleep);
	assert_int_equal(DECODE("\x48\xc7\xc0\x23\0\0\0\x31\xd2\x0f\x05"), SYS_nanosleep);
	assert_int_equal(DECODE("\xb8\xf0\0\0\0\x31\xd2\xcd\x80"), 240);	/* futex of 32-bit programs */
	assert_int_equal(DECODE("\x0f\x05"), -1);
	assert_int_equal(DECODE("\xcd\x80"), -2);
	assert_int_equal(DECODE("\x90\x90"), -1);
	assert_int_equal(arch_decode_syscall((const uint8_t *)"\xcd", 1), -1);
}

static void test_old_restart(void **state)
{
	struct arch_interrupted call;
	struct arch_regs regs = { 0 };

	(void)state;
	regs.x.rax = (unsigned long)-ARCH_ERESTART_RESTARTBLOCK;
	arch_interrupted(&regs, &call);
	assert_int_equal(call.nr, arch_nr_restart_syscall);
	regs.x.rax = (unsigned long)-ARCH_ERESTARTSYS;
	arch_interrupted(&regs, &call);
	assert_int_equal(call.nr, SYS_read);
}

#else

static void test_decode(void **state)
{
	(void)state;
	print_message("skip reason: the code here is x86_64's\n");
	skip();
}
#define test_old_restart test_decode

#endif

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_decode), cmocka_unit_test(test_old_restart) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
