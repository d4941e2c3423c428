/* SPDX-License-Identifier: MIT */
#include "tree/ended_calls.h"

#include <errno.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "kernel/ptrace.h"

struct interrupted_call {
	pid_t tid, pid;
	uint64_t ends;		/* by these signals */
};

int ended_calls_note(struct restore *r, const Thread *m)
{
	struct interrupted_call call = { (pid_t)m->tid, r->pid, r->caught & ~m->sigmask };

	if (m->interrupted == ARCH_ERESTARTNOINTR)
		return 0;
	if (m->interrupted == ARCH_ERESTARTSYS)
		call.ends &= r->no_sa_restart;
	return buffer_append(&r->calls, &call, sizeof(call)) ? fail(ENOMEM, "out of memory") : 0;
}

static bool is_pending(pid_t tid, bool shared, uint64_t signals)
{
	enum { AT_ONCE = 16 };
	siginfo_t infos[AT_ONCE];
	int n = AT_ONCE;

	for (uint64_t from = 0; n == AT_ONCE; from += AT_ONCE) {
		n = thread_pending(tid, shared, from, infos, AT_ONCE);
		for (int i = 0; i < n; i++)
			if (signals >> (infos[i].si_signo - 1) & 1)
				return true;
	}
	return false;
}

/*
 * The handler would run first, and the call, a pause(2) say, wait for another signal.  One that is for the whole process goes to
 * its main thread, if that lets it through.
 */
void ended_calls_end(const struct restore *r, pid_t tid)
{
	const struct interrupted_call *call = (const struct interrupted_call *)(const void *)r->calls.data;
	size_t n = r->calls.len / sizeof(*call);
	struct arch_regs regs;

	while (n && call->tid != tid) {
		n--;
		call++;
	}
	if (!n || !call->ends || !(is_pending(tid, false, call->ends) || (tid == call->pid && is_pending(tid, true, call->ends))) ||
	    thread_regs(tid, &regs))
		return;
	arch_end_call(&regs, -EINTR);
	(void)thread_set_regs(tid, &regs);
}
