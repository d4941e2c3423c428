/* SPDX-License-Identifier: MIT */
/* What the interpreter needs of armv7: a system call (or what the kernel has none for), a trap and a jump. */
#ifndef TINYCKPT_BLOB_H
#define TINYCKPT_BLOB_H

#include "arch_regs.h"

static inline long blob_syscall(long nr, const long a[6])
{
	long user_tls;

	if (nr == ARCH_NR_get_user_tls) {
		__asm__ volatile("mrc p15, 0, %0, c13, c0, 2" : "=r"(user_tls));
		return user_tls;
	}
	if (nr == ARCH_NR_set_user_tls) {
		__asm__ volatile("mcr p15, 0, %0, c13, c0, 2" ::"r"(a[0]));
		return 0;
	}
	register long r0 __asm__("r0") = a[0];
	register long r1 __asm__("r1") = a[1];
	register long r2 __asm__("r2") = a[2];
	register long r3 __asm__("r3") = a[3];
	register long r4 __asm__("r4") = a[4];
	register long r5 __asm__("r5") = a[5];
	register long r7 __asm__("r7") = nr;

	__asm__ volatile("svc 0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5), "r"(r7) : "memory");
	return r0;
}

/* The undefined instruction that arch/arm/kernel/ptrace.c takes for a breakpoint. */
static inline void blob_trap(void)
{
	__asm__ volatile(".inst 0xe7f001f0" ::: "memory");
}

static inline __attribute__((noreturn)) void blob_jump(long address)
{
	__asm__ volatile("bx %0" ::"r"(address));
	__builtin_unreachable();
}

#endif
