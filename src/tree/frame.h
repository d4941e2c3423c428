/* SPDX-License-Identifier: MIT */
/*
 * Going home by a signal frame.  A thread that was stopped in user mode may have registers that no system call leaves alone
 * (SVE, RISC-V's vectors), and to be led away is to make system calls.  They are kept here for the image, and in a frame in
 * the thread's own memory, from which its last call, rt_sigreturn(2), gets them back, be the tool alive or dead.  So that
 * the frame is there until the very end, the leader, which takes the area away, has it below its stack pointer, where a
 * signal would have put one; the others have it in the area.
 *
 * All of it is used with an ARCH_REGSET_LOST only.
 */
#ifndef TINYCKPT_TREE_FRAME_H
#define TINYCKPT_TREE_FRAME_H

#include "job/tree.h"
#include "tree/visit.h"

/* Has the thread, which is held, such registers, and would miss them? */
bool frame_is_needed(const struct process *p, const struct thread *thread);

/* Is there room for its frame?  Otherwise the thread must not be led away. */
bool frame_has_room(const struct process *p, const struct thread *thread);

/* Reads the registers, if it is needed, into who->lost.  0 or a negative errno, unsaid. */
int frame_keep(struct visitor *who);

/* They were read, and who->home is complete but for the frame: lays that.  0 or a negative errno, said. */
int frame_lay(struct visit *v, struct visitor *who);

#endif
