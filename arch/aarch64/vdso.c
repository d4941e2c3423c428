/* SPDX-License-Identifier: MIT */
/* What stands in for the functions of an aarch64 vDSO. */
#include "arch.h"

#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

const struct arch_vdso_function arch_vdso_functions[] = {
	{ "clock_gettime", SYS_clock_gettime },
	{ "gettimeofday", SYS_gettimeofday },
	{ "clock_getres", SYS_clock_getres },
	{ "rt_sigreturn", ARCH_VDSO_STAYS },
	{ "getrandom", SYS_getrandom },
	{ NULL, 0 },
};

size_t arch_vdso_entry(uint8_t *to, uintptr_t entry, uintptr_t stub)
{
	const uint32_t b = 0x14000000 | ((uint32_t)(stub - entry) >> 2 & 0x3ffffff);

	memcpy(to, &b, sizeof(b));
	return sizeof(b);
}

size_t arch_vdso_stub(uint8_t *to, uintptr_t function, uintptr_t third, long call)
{
	uint32_t code[4] = { 0x58000090, 0xd61f0200 };	/* ldr x16, pc + 16; br x16 */
	const uint64_t data[2] = { function, third };

	if (function) {
		if (third) {
			code[1] = 0x580000a2;	/* ldr x2, pc + 20 */
			code[2] = 0xd61f0200;
		}
		memcpy(to, code, sizeof(code));
		memcpy(to + sizeof(code), data, sizeof(data));
		return sizeof(code) + sizeof(data);
	}
	/* mov x8, #call; svc #0; ret, or mov x0, #-ENOSYS; ret; ret */
	code[0] = call >= 0 ? 0xd2800008 | (uint32_t)call << 5 : 0x928004a0;
	code[1] = call >= 0 ? 0xd4000001 : 0xd65f03c0;
	code[2] = 0xd65f03c0;
	memcpy(to, code, 12);
	return 12;
}

bool arch_may_be_frame_pc(const unsigned long *word)
{
	const unsigned long sp = word[-1], pstate = word[1];

	return sp && !(sp & 7) && !(pstate >> 40) && !(pstate & 0x1f);	/* of a user's program */
}
