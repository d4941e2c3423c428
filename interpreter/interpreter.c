/* SPDX-License-Identifier: MIT */
/* The whole of what runs inside another task.  No libc, no data of its own, no vector registers. */
#include "interpreter.h"
#include "blob.h"

/*
 * Works off the program at op until it leaves.  Never returns.  op->ret of each system call is filled in, so that the
 * tool finds the results (and how far the program came) in the program itself.
 */
__attribute__((noreturn, used)) void interpret(struct op *op)
{
	for (;;) {
		long a[6];

		for (int i = 0; i < 6; i++)
			a[i] = op->flags & (OP_INDIRECT << i) ? *(volatile long *)op->arg[i] : op->arg[i];

		switch (op->nr) {
		case OP_TRAP:
			blob_trap();
			break;
		case OP_JUMP:
			op = (struct op *)a[0];
			continue;
		case OP_JUMP_IF_EQUAL:
			if (a[0] == a[1]) {
				op = (struct op *)a[2];
				continue;
			}
			break;
		case OP_ADD:
			*(volatile unsigned int *)a[0] += *(volatile unsigned int *)a[1];
			break;
		case OP_LEAVE:
			blob_jump(a[0]);
		default:
			op->ret = blob_syscall(op->nr, a);
			if ((op->flags & OP_MUST) && (unsigned long)op->ret > -4096UL)
				blob_trap();
		}
		op++;
	}
}
