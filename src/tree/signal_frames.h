/* SPDX-License-Identifier: MIT */
/*
 * What a kernel has put on the stack of a thread whose handler runs, for another kernel to take back.  Frames that lie more than
 * 64 KiB above the thread's stack pointer, or on another stack, are not seen.
 */
#ifndef TINYCKPT_TREE_SIGNAL_FRAMES_H
#define TINYCKPT_TREE_SIGNAL_FRAMES_H

#include <stdint.h>
#include <sys/types.h>

#include "job/tree.h"

/* Makes those of a thread of the process ones that this kernel takes; its memory is there.  0 or a negative errno, said. */
int signal_frames_settle(pid_t pid, uint64_t sp);

/*
 * Calls each() for every word from lo up to hi that may be the program counter in one of them, until it returns other than 0, and
 * returns that; -ENOMEM, said.
 */
int signal_frames_words(pid_t pid, uint64_t sp, uint64_t lo, uint64_t hi, int (*each)(void *arg, uint64_t word), void *arg);

/* The bits of ARCH_FRAME_WORD that a kernel must have to take those of all threads, which are held.  0 or a negative errno, said. */
int signal_frames_need(const struct tree *tree, uint64_t *needs);

#endif
