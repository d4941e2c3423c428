/* SPDX-License-Identifier: MIT */
#include "tree/sleepers.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/ptrace.h"
#include "tree/clocks.h"
#include "tree/reborn.h"

bool sleepers_wait(const Thread *m, const struct arch_interrupted *call)
{
	const bool nanosleep = m->syscall == SYS_nanosleep;
	const int rqtp = nanosleep ? 0 : 2;

	return m->interrupted == ARCH_ERESTART_RESTARTBLOCK &&
	       (nanosleep || ((m->syscall == SYS_clock_nanosleep || m->syscall == SYS_clock_nanosleep_time64) &&
			      !(call->args[1] & TIMER_ABSTIME))) &&
	       call->args[rqtp + 1] && call->args[rqtp + 1] != call->args[rqtp];
}

/* Makes the call in place with what remained as its time; the kernel takes note of it as it is interrupted at once. */
static int sleep_on(const struct restore *r, pid_t tid)
{
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
	if (IS_ON_CLOCKS && clocks_hold(r, &call))
		err = clocks_rebase(r, tid, &call, &now, &was);
	else
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
	if (!err)
		err = thread_regs(tid, &now);
	if (!err) {
		arch_set_argument(&now, rqtp, call.args[rqtp]);
		if (IS_ON_CLOCKS && was.len)
			err = clocks_put_back(tid, &call, &now, &was);
	}
	if (!err)
		err = thread_set_regs(tid, &now);
	if (!err)
		err = thread_set_sigmask(tid, mask);
	return err;
}

int sleepers_go_on(struct restore *r)
{
	const pid_t *tid = (const pid_t *)(const void *)r->again.data;

	for (size_t i = 0; i < r->again.len / sizeof(*tid); i++) {
		int err = sleep_on(r, tid[i]);

		if (err)
			return fail_for(err, "thread %d: its sleep cannot go on", tid[i]);
	}
	return 0;
}
