/* SPDX-License-Identifier: MIT */
/* What a kernel has put on the stack of a thread whose handler runs. */
#ifndef TINYCKPT_TREE_SIGNAL_FRAMES_H
#define TINYCKPT_TREE_SIGNAL_FRAMES_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Makes the signal frames of a thread of the process ones that any kernel takes back; its memory is there.  Those that lie more
 * than 64 KiB above its stack pointer, or on another stack, stay as they are.  0 or a negative errno, said.
 */
int signal_frames_settle(pid_t pid, uint64_t sp);

#endif
