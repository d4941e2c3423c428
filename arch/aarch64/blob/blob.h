/* SPDX-License-Identifier: MIT */
/* What the interpreter needs of aarch64: a system call, a trap and a jump. */
#ifndef TINYCKPT_BLOB_H
#define TINYCKPT_BLOB_H

static inline long blob_syscall(long nr, const long a[6])
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a[0];
	register long x1 __asm__("x1") = a[1];
	register long x2 __asm__("x2") = a[2];
	register long x3 __asm__("x3") = a[3];
	register long x4 __asm__("x4") = a[4];
	register long x5 __asm__("x5") = a[5];

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

static inline void blob_trap(void)
{
	__asm__ volatile("brk #0" ::: "memory");
}

/* ret and not br: what it jumps to may lie on a page where only a landing pad may be branched to (BTI). */
static inline __attribute__((noreturn)) void blob_jump(long address)
{
	__asm__ volatile("ret %0" ::"r"(address));
	__builtin_unreachable();
}

#endif
