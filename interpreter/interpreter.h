/* SPDX-License-Identifier: MIT */
/*
 * A syscall program: a flat array of operations that the interpreter blob works off inside another task.
 *
 * What to do is decided in src/, in ordinary C; the blob only does it.  Everything is a machine word, so that the
 * same structure serves 32-bit and 64-bit tasks of the tool's own architecture.
 */
#ifndef TINYCKPT_INTERPRETER_H
#define TINYCKPT_INTERPRETER_H

/* Operations that are no system call.  System call numbers are never negative. */
enum {
	OP_TRAP = -1,		/* stop for the tracer; go on with the next operation when resumed */
	OP_JUMP = -2,		/* arg[0]: the operation to go on with */
	OP_JUMP_IF_EQUAL = -3,	/* arg[0] == arg[1]: go on with the operation arg[2] */
	OP_LEAVE = -4,		/* jump to the address arg[0], never to return */
	OP_ADD = -5,		/* to the 32-bit word at the address arg[0] that at arg[1] */
};

/* Bits of op.flags.  Bits 0 to 5: arg[i] holds the address of the word that is meant. */
enum {
	OP_INDIRECT = 1,	/* << i */
	OP_MUST = 1 << 8,	/* a failing system call stops for the tracer instead of going on */
};

struct op {
	long nr;
	long arg[6];
	long ret;		/* what the system call returned (negative errno as the kernel has it) */
	unsigned long flags;
};

#endif
