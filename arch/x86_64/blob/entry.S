/* SPDX-License-Identifier: MIT */
/* The blob's first byte.  In: rdi = the first operation, rsp = the top of a stack, aligned to 16. */
	.section .text.entry, "ax"
	.globl blob_entry
blob_entry:
	call	interpret
	.section .note.GNU-stack, "", @progbits
