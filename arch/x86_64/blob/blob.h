/* SPDX-License-Identifier: MIT */
/* What the interpreter needs of x86_64: a system call, a trap and a jump. */
#ifndef TINYCKPT_BLOB_H
#define TINYCKPT_BLOB_H

static inline long blob_syscall(long nr, const long a[6])
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline void blob_trap(void)
{
	__asm__ volatile("int3" ::: "memory");
}

static inline __attribute__((noreturn)) void blob_jump(long address)
{
	__asm__ volatile("jmp *%0" ::"r"(address));
	__builtin_unreachable();
}

#endif
