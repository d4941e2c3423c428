/* SPDX-License-Identifier: MIT */
/* What the interpreter needs of riscv64: a system call, a trap and a jump. */
#ifndef TINYCKPT_BLOB_H
#define TINYCKPT_BLOB_H

static inline long blob_syscall(long nr, const long a[6])
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a[0];
	register long a1 __asm__("a1") = a[1];
	register long a2 __asm__("a2") = a[2];
	register long a3 __asm__("a3") = a[3];
	register long a4 __asm__("a4") = a[4];
	register long a5 __asm__("a5") = a[5];

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
	return a0;
}

static inline void blob_trap(void)
{
	__asm__ volatile("ebreak" ::: "memory");
}

static inline __attribute__((noreturn)) void blob_jump(long address)
{
	__asm__ volatile("jr %0" ::"r"(address));
	__builtin_unreachable();
}

#endif
