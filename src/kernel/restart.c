/* SPDX-License-Identifier: MIT */
#include "kernel/restart.h"

#include <errno.h>

#include "kernel/ptrace.h"

/* To the entry of its next call, if that is one that it may be about to go on with: 1, then; 0: it is not. */
static int to_entry(pid_t pid, pid_t tid, struct restart *restart)
{
	for (;;) {
		uint8_t text[ARCH_CALL_BYTES];
		struct arch_regs regs;
		struct stop stop;
		int err = thread_regs(tid, &regs);

		if (err || task_read(pid, text, arch_pc(&regs), sizeof(text)) || !arch_may_go_on(&regs, text))
			return err;
		arch_keep(&regs, restart->kept);
		err = thread_to_syscall(tid, 0);
		if (!err)
			err = thread_wait(tid, &stop);
		if (!err && stop.kind == STOP_EXITED)
			err = -ESRCH;
		if (!err && stop.kind == STOP_SYSCALL)
			return 1;
		if (!err && stop.kind == STOP_SIGNAL) {
			err = thread_interrupt(tid);
			if (!err)
				err = thread_continue(tid, stop.signal);
			if (!err)
				err = thread_halted(tid, &stop);
		}
		if (err)
			return err;
	}
}

/*
 * With an interrupt waiting for it the call returns at once, if only to be gone on with: at its exit the kernel has not yet
 * put that right, and the result tells.
 */
int restart_find(pid_t pid, pid_t tid, struct restart *restart)
{
	struct arch_regs regs;
	struct stop stop;
	int err;

	*restart = (struct restart){ 0 };
	if (!ARCH_HIDES_RESTART)
		return 0;
	err = to_entry(pid, tid, restart);
	if (err <= 0)
		return err;
	err = thread_interrupt(tid);
	if (!err)
		err = thread_to_syscall(tid, 0);
	if (!err)
		err = thread_wait(tid, &stop);
	if (!err && stop.kind != STOP_SYSCALL)
		err = -ESRCH;
	if (!err)
		err = thread_regs(tid, &regs);
	if (!err)
		restart->error = arch_restart_error(&regs);
	restart->taken = !err;
	return err;
}

int restart_regs(pid_t pid, pid_t tid, const struct restart *restart, struct arch_regs *regs, struct arch_interrupted *call)
{
	int err = thread_regs(tid, regs);

	(void)pid;
	if (err)
		return err;
	if (restart->taken)
		arch_returned(regs, restart->kept, restart->error != 0);
	arch_interrupted(regs, call);
	if (restart->error)
		call->error = restart->error;
	return 0;
}
