/* SPDX-License-Identifier: MIT */
#include "tree/ended_calls.h"

#include <errno.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"

struct interrupted_call {
	pid_t tid, pid;
	uint64_t ends;		/* signals that end it if they are handled */
};

int ended_calls_note(struct restore *r, const Thread *m)
{
	struct interrupted_call call = { (pid_t)m->tid, r->pid, ~m->sigmask };

	if (m->interrupted == ARCH_ERESTARTNOINTR)
		return 0;
	if (m->interrupted == ARCH_ERESTARTSYS)
		call.ends &= r->no_sa_restart;
	return buffer_append(&r->calls, &call, sizeof(call)) ? fail(ENOMEM, "out of memory") : 0;
}

/*
 * The handler would run first, and the call, a pause(2) say, wait for another signal.  One that is for the whole process goes to
 * its main thread, if that lets it through.
 */
void ended_calls_end(const struct restore *r)
{
	const struct interrupted_call *call = (const struct interrupted_call *)(const void *)r->calls.data;

	for (size_t n = r->calls.len / sizeof(*call); n--; call++) {
		struct proc_status st;
		struct arch_regs regs;

		if (proc_status(call->pid, call->tid, &st))
			continue;
		if (call->tid == call->pid)
			st.sig_pending |= st.shared_pending;
		if (!(st.sig_pending & st.sig_caught & call->ends) || thread_regs(call->tid, &regs))
			continue;
		arch_end_call(&regs, -EINTR);
		(void)thread_set_regs(call->tid, &regs);
	}
}
