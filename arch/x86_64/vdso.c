/* SPDX-License-Identifier: MIT */
/* What stands in for the functions of an x86_64 vDSO. */
#include "arch.h"

#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

const struct arch_vdso_function arch_vdso_functions[] = {
	{ "clock_gettime", SYS_clock_gettime },
	{ "gettimeofday", SYS_gettimeofday },
	{ "time", SYS_time },
	{ "clock_getres", SYS_clock_getres },
	{ "getcpu", SYS_getcpu },
	{ "getrandom", SYS_getrandom },
	{ "sgx_enter_enclave", ARCH_VDSO_FAILS },	/* whoever has an enclave has memory of a device, which is refused */
	{ NULL, 0 },
};

size_t arch_vdso_entry(uint8_t *to, uintptr_t entry, uintptr_t stub)
{
	const uint32_t distance = (uint32_t)(stub - entry - 5);

	to[0] = 0xe9;	/* jmp */
	memcpy(to + 1, &distance, sizeof(distance));
	return 5;
}

size_t arch_vdso_stub(uint8_t *to, uintptr_t function, uintptr_t third, long call)
{
	const uint64_t function64 = function, third64 = third;
	const uint32_t nr = (uint32_t)call;
	size_t len = 0;

	if (function) {
		if (third) {
			memcpy(to, "\x48\xba", 2);	/* movabs $third, %rdx */
			memcpy(to + 2, &third64, sizeof(third64));
			len = 10;
		}
		memcpy(to + len, "\xff\x25\0\0\0\0", 6);	/* jmp *0(%rip) */
		memcpy(to + len + 6, &function64, sizeof(function64));
		return len + 14;
	}
	if (call < 0) {
		memcpy(to, "\x48\xc7\xc0\xda\xff\xff\xff\xc3", 8);	/* mov $-ENOSYS, %rax; ret */
		return 8;
	}
	to[0] = 0xb8;	/* mov $nr, %eax; syscall; ret */
	memcpy(to + 1, &nr, sizeof(nr));
	memcpy(to + 5, "\x0f\x05\xc3", 3);
	return 8;
}

bool arch_may_be_frame_pc(const unsigned long *word)
{
	const unsigned long sp = word[-1], flags = word[1];

	return sp && !(flags >> 22) && flags & 2;	/* which is always set */
}
