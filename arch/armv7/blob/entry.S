/* SPDX-License-Identifier: MIT */
/* The blob's first byte.  In: ARM state, r0 = the first operation, sp = the top of a stack, aligned to 16. */
	.syntax unified
	.arm
	.section .text.entry, "ax"
	.globl blob_entry
blob_entry:
	bl	interpret
	.section .note.GNU-stack, "", %progbits
