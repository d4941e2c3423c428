/* SPDX-License-Identifier: MIT */
/*
 * Where glibc registers each thread for rseq(2), on kernels that do not tell (before Linux 5.13).
 *
 * From glibc 2.35 on the dynamic linker has two symbols for it: __rseq_offset, from the thread pointer, and __rseq_size, 0 when
 * it does not register.
 */
#ifndef TINYCKPT_TREE_LIBRARY_RSEQ_H
#define TINYCKPT_TREE_LIBRARY_RSEQ_H

#include <stdbool.h>
#include <sys/types.h>

#include "arch.h"

enum { RSEQ_BYTES = 32 };	/* of struct rseq, before it could be larger (Linux 6.3) */

struct library_rseq {
	bool looked, found;
	long offset;
};

/* The area of a thread that is held and has these registers; 0: none is known.  Whether it is registered is to be tried. */
uintptr_t library_rseq(struct library_rseq *l, pid_t pid, pid_t tid, const struct arch_regs *regs);

#endif
