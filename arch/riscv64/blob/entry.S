/* SPDX-License-Identifier: MIT */
/* The blob's first byte.  In: a0 = the first operation, sp = the top of a stack, aligned to 16. */
	.section .text.entry, "ax"
	.globl blob_entry
blob_entry:
	call	interpret
	.section .note.GNU-stack, "", @progbits
