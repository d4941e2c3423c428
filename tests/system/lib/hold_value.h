/* SPDX-License-Identifier: MIT */
/* A loop in user mode that holds a value in the register where system calls return, and holds nothing but registers. */
#ifndef HOLD_VALUE_H
#define HOLD_VALUE_H

/* Until the word is not 0; returns what the register holds then.  Its code runs anywhere, and goes up to HOLD_VALUE_ENDS. */
long hold_value(const volatile int *word, long value) __attribute__((visibility("hidden")));
extern const char hold_value_ends[] __attribute__((visibility("hidden")));	/* else both have one GOT entry on aarch64 */

__asm__(
	"	.text\n"
#if defined(__x86_64__)
	"hold_value:\n"
	"	mov %rsi, %rax\n"
	"1:	cmpl $0, (%rdi)\n"
	"	je 1b\n"
	"	ret\n"
#elif defined(__aarch64__)
	"hold_value:\n"
	"	mov x2, x0\n"
	"	mov x0, x1\n"
	"1:	ldr w1, [x2]\n"
	"	cbz w1, 1b\n"
	"	ret\n"
#elif defined(__arm__)
	"	.syntax unified\n"
	"	.arm\n"
	"	.type hold_value, %function\n"
	"hold_value:\n"
	"	mov r2, r0\n"
	"	mov r0, r1\n"
	"1:	ldr r1, [r2]\n"
	"	cmp r1, #0\n"
	"	beq 1b\n"
	"	bx lr\n"
#elif defined(__riscv)
	"hold_value:\n"
	"	mv a2, a0\n"
	"	mv a0, a1\n"
	"1:	lw a1, 0(a2)\n"
	"	beqz a1, 1b\n"
	"	ret\n"
#endif
	"hold_value_ends:\n"
);

#endif
