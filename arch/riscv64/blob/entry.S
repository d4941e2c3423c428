/* SPDX-License-Identifier: MIT */
/* The blob's first byte.  In: a0 = the first operation, sp = the top of a stack, aligned to 16. */
	.section .text.entry, "ax"
	.globl blob_entry
blob_entry:
	call	interpret
	.balign 16
	.word 0xc2202073	/* ARCH_FIRST_USE: csrr zero, vlenb, a register of the vector unit */
	ebreak
	.section .note.GNU-stack, "", @progbits
