/* SPDX-License-Identifier: MIT */
/* How a thread that stands still will go on with a system call that the stop interrupted. */
#ifndef TINYCKPT_KERNEL_RESTART_H
#define TINYCKPT_KERNEL_RESTART_H

#include <sys/types.h>

#include "arch.h"

/* What had to be found out while the thread was being held (ARCH_HIDES_RESTART); all 0 elsewhere, and mostly. */
struct restart {
	int error;	/* as in struct arch_interrupted */
	bool taken;	/* the thread has taken its step, and stands at the exit of the call */
	long stood;	/* number of the call before that, in the place of which there may be restart_syscall(2)'s */
	long hidden;	/* see arch_hidden() */
	long first;	/* first argument of the call, in the place of which there is its result by now */
	long nr;	/* call that it slept in before it was held, if at is not 0 */
	uint64_t at;	/* where it was to return to */
};

/* For a thread that is not held yet: what it sleeps in. */
void restart_note(pid_t pid, pid_t tid, struct restart *restart);

/*
 * For a thread that is held and about to be looked at: finds it out where the kernel hides it, for which the thread takes
 * its next step, into the call and out of it.  Signals that come in between are delivered.  0 or a negative errno, unsaid;
 * -ESRCH: it ended meanwhile.
 */
int restart_find(pid_t pid, pid_t tid, struct restart *restart);

/*
 * A call was cut short with EINTR by the stop alone, no signal being there to be handled: regs are those before it again.
 * False: it is not known what it was called with.
 */
bool restart_undo(const struct restart *restart, struct arch_regs *regs, long nr);

/* Its registers, as they were when it was held, and the call they are in.  0 or a negative errno, unsaid. */
int restart_regs(pid_t pid, pid_t tid, const struct restart *restart, struct arch_regs *regs, struct arch_interrupted *call);

#endif
