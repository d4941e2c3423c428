/* SPDX-License-Identifier: MIT */
/* What stands in for the functions of a riscv64 vDSO. */
#include "arch.h"

#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

enum { RISCV_HWPROBE = 258, RISCV_FLUSH_ICACHE = 259 };	/* asm/unistd.h, newer than the headers one may have to build with */

const struct arch_vdso_function arch_vdso_functions[] = {
	{ "clock_gettime", SYS_clock_gettime },
	{ "gettimeofday", SYS_gettimeofday },
	{ "clock_getres", SYS_clock_getres },
	{ "getcpu", SYS_getcpu },
	{ "flush_icache", RISCV_FLUSH_ICACHE },
	{ "riscv_hwprobe", RISCV_HWPROBE },
	{ "rt_sigreturn", ARCH_VDSO_STAYS },
	{ "getrandom", SYS_getrandom },
	{ NULL, 0 },
};

size_t arch_vdso_entry(uint8_t *to, uintptr_t entry, uintptr_t stub)
{
	const uint32_t d = (uint32_t)(stub - entry);
	const uint32_t j = 0x6f | (d & 0xff000) | (d >> 11 & 1) << 20 | (d >> 1 & 0x3ff) << 21 | (d >> 20 & 1) << 31;

	memcpy(to, &j, sizeof(j));
	return sizeof(j);
}

enum { T1 = 6, T2, A0 = 10, A2 = 12, A7 = 17 };

static uint32_t addi(unsigned int to, uint32_t value)
{
	return 0x13 | to << 7 | value << 20;
}

static uint32_t load(unsigned int to, unsigned int from, uint32_t offset)
{
	return 0x3003 | to << 7 | from << 15 | offset << 20;
}

size_t arch_vdso_stub(uint8_t *to, uintptr_t function, uintptr_t third, long call)
{
	/* auipc t1, 0; ld t2, 16(t1); ld a2, 24(t1) or nothing; jr t2 */
	uint32_t code[4] = { 0x17 | T1 << 7, load(T2, T1, 16), third ? load(A2, T1, 24) : addi(0, 0), 0x67 | T2 << 15 };
	const uint64_t data[2] = { function, third };

	if (function) {
		memcpy(to, code, sizeof(code));
		memcpy(to + sizeof(code), data, sizeof(data));
		return sizeof(code) + sizeof(data);
	}
	/* li a7, call; ecall; ret, or li a0, -ENOSYS; ret; ret */
	code[0] = call >= 0 ? addi(A7, (uint32_t)call) : addi(A0, (uint32_t)-38);
	code[1] = call >= 0 ? 0x73 : 0x8067;
	code[2] = 0x8067;
	memcpy(to, code, 12);
	return 12;
}

bool arch_may_be_frame_pc(const unsigned long *word)
{
	const unsigned long sp = word[2];

	return sp && !(sp & 15) && !(sp >> 56);
}
