/* SPDX-License-Identifier: MIT */
#include "tree/made_again.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/ptrace.h"
#include "tree/clocks.h"
#include "tree/reborn.h"

struct again {
	pid_t tid;
	bool sleeps;	/* with another time than that of its arguments */
};

/* Does it sleep for a time whose rest the kernel wrote elsewhere (rmtp) than the call reads it from? */
static bool has_rest(const Thread *m, const struct arch_interrupted *call)
{
	const bool nanosleep = m->syscall == SYS_nanosleep;
	const int rqtp = nanosleep ? 0 : 2;

	return m->interrupted == ARCH_ERESTART_RESTARTBLOCK &&
	       (nanosleep || ((m->syscall == SYS_clock_nanosleep || m->syscall == SYS_clock_nanosleep_time64) &&
			      !(call->args[1] & TIMER_ABSTIME))) &&
	       call->args[rqtp + 1] && call->args[rqtp + 1] != call->args[rqtp];
}

/* A signal that comes from now on and is handled ends the call. */
static bool may_end(const struct restore *r, const Thread *m)
{
	return m->interrupted && m->interrupted != ARCH_ERESTARTNOINTR && r->caught & ~m->sigmask;
}

int made_again_note(struct restore *r, const Thread *m, const struct arch_interrupted *call)
{
	const struct again again = {
		(pid_t)m->tid, has_rest(m, call) || (IS_ON_CLOCKS && m->interrupted && clocks_hold(r, call)),
	};

	if (!again.sleeps && !(IS_ON_ENDED_CALLS && may_end(r, m)))
		return 0;
	return buffer_append(&r->again, &again, sizeof(again)) ? fail(ENOMEM, "out of memory") : 0;
}

/* Makes the call in place, for a sleep with what remained as its time; the kernel takes note of it as it is interrupted at once. */
static int make_again(const struct restore *r, const struct again *again)
{
	const pid_t tid = again->tid;
	const bool sleeps = !IS_ON_ENDED_CALLS || again->sleeps;	/* only those are noted without it */
	struct arch_regs regs, now;
	struct arch_interrupted call;
	struct deadline was = { 0 };
	struct stop stop;
	uint64_t mask;
	int rqtp, err = thread_regs(tid, &regs);

	if (err)
		return err;
	arch_pending_call(&regs, &call);
	rqtp = call.nr == SYS_nanosleep ? 0 : 2;
	now = regs;
	if (IS_ON_CLOCKS && sleeps && clocks_hold(r, &call))
		err = clocks_rebase(r, tid, &call, &now, &was);
	else if (sleeps)
		arch_set_argument(&now, rqtp, call.args[rqtp + 1]);
	if (!err)
		err = thread_sigmask(tid, &mask);
	if (!err)	/* a pending signal would be delivered on the way to the call; it is, when all is released */
		err = thread_set_sigmask(tid, ~0ULL);
	if (!err)
		err = thread_set_regs(tid, &now);
	if (!err)
		err = reborn_to_syscall(tid);
	if (!err)
		err = thread_halt(tid, &stop);
	if (!err && sleeps) {
		err = thread_regs(tid, &now);
		/* where the sleep was over at once, its result may lie in the place of an argument */
		if (!err && (!ARCH_HIDES_RESTART || arch_pc(&now) == arch_pc(&regs)))
			arch_set_argument(&now, rqtp, call.args[rqtp]);
		if (!err && IS_ON_CLOCKS && was.len)
			err = clocks_put_back(tid, &call, &now, &was);
		if (!err)
			err = thread_set_regs(tid, &now);
	}
	return err ? err : thread_set_sigmask(tid, mask);
}

int made_again(struct restore *r)
{
	const struct again *again = (const struct again *)(const void *)r->again.data;

	for (size_t n = r->again.len / sizeof(*again); n; n--, again++) {
		int err = make_again(r, again);

		if (err)
			return fail_for(err, "thread %d: its call cannot go on", again->tid);
	}
	return 0;
}
