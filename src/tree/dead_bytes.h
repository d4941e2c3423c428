/* SPDX-License-Identifier: MIT */
/* Bytes of a process that nothing ever uses: the way home of those that visit it is written there. */
#ifndef TINYCKPT_TREE_DEAD_BYTES_H
#define TINYCKPT_TREE_DEAD_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "job/tree.h"

enum { DEAD_BYTES = 2 * ARCH_HOME_MAX };	/* room for two ways home */

/* The address of DEAD_BYTES bytes in an executable mapping of the process.  0 or a negative errno, said. */
int dead_bytes(const struct process *p, uint64_t *at);

/*
 * The same for a last jump, from where pc can be reached: not at `taken`, where another one lies (0: none does).  There may
 * be anything there, which is to be put back.  False, and 0: there is nothing so near.
 */
bool near_bytes(const struct process *p, uint64_t pc, uint64_t taken, uint64_t *at);

/* Can a jump that lies there end at pc? */
static inline bool dead_bytes_reach(uint64_t at, uint64_t pc)
{
	return (at < pc ? pc - at : at - pc) <= ARCH_HOME_REACH;
}

/* May nothing be near?  So it is in the midst of much code, and in code that a compiler in the program has made, which lies anywhere. */
enum { DEAD_BYTES_FAR = ARCH_FAR };

#endif
