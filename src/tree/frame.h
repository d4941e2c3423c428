/* SPDX-License-Identifier: MIT */
/*
 * Going home by a signal frame.  A thread that was stopped in user mode may have registers that no system call leaves alone
 * (SVE, RISC-V's vectors), and to be led away is to make system calls.  They are kept here for the image, and in a frame in
 * the thread's own memory, from which its last call, rt_sigreturn(2), gets them back, be the tool alive or dead.  So that
 * the frame is there until the very end, the leader, which takes the area away, has it below its stack pointer, where a
 * signal would have put one; the others have it in the area.
 *
 * Nor is there another way home for a thread that was stopped in user mode where no jump comes to that needs no register
 * (DEAD_BYTES_FAR): in the midst of much code, or in what a compiler has made that is part of the program.
 *
 * All of it is used with an ARCH_REGSET_LOST only.
 */
#ifndef TINYCKPT_TREE_FRAME_H
#define TINYCKPT_TREE_FRAME_H

#include "job/tree.h"
#include "tree/visit.h"

/* Must the thread, which is held, go home so? */
bool frame_is_needed(const struct process *p, const struct thread *thread);

/* Why the thread must not be led away: there is no room for the frame that it needs.  NULL: it may be. */
const char *frame_obstacle(const struct process *p, const struct thread *thread);

/*
 * Sets who->lost if a frame is needed, with the registers in it that the thread would miss, if any.  who->home tells where it
 * was stopped.  0 or a negative errno, unsaid.
 */
int frame_keep(const struct process *p, bool leads, struct visitor *who);

/* It is needed, and who->home is complete but for the frame: lays that.  0 or a negative errno, said. */
int frame_lay(struct visit *v, struct visitor *who);

#endif
