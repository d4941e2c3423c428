/* SPDX-License-Identifier: MIT */
#include "tree/target.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "config.h"
#include "kernel/procfs.h"
#include "objects/object.h"

static const uint64_t PF_KTHREAD = 0x00200000;	/* include/linux/sched.h */

static bool has_ended(const struct proc_stat *st)
{
	return (st->state == 'Z' && st->threads < 2) || st->state == 'X';
}

int target_check(pid_t pid)
{
	struct proc_stat st;
	struct proc_status status;
	int err = proc_check() ?: proc_stat(pid, 0, &st);

	/* so looks, for a moment, one that becomes another program */
	for (int looks = 1; IS_ON_EXECS && !err && has_ended(&st) && looks < 5; looks++) {
		poll(NULL, 0, 1);
		err = proc_stat(pid, 0, &st);
	}
	if (err == -ESRCH)
		return fail(ESRCH, "pid %d: there is no such process", pid);
	if (err)
		return err;
	err = proc_status(pid, pid, &status);
	if (err == -ESRCH || (!err && status.tgid != pid))
		return fail(ESRCH, "pid %d (%s): this is a thread, not a process", pid, st.comm);
	if (pid == getpid())
		return fail(EINVAL, "pid %d: this is tinyckpt itself", pid);
	if (st.flags & PF_KTHREAD)
		return fail(EINVAL, "pid %d (%s): this is a kernel thread", pid, st.comm);
	if (has_ended(&st))
		return fail(ESRCH, "pid %d (%s): it has ended (a zombie): there is nothing to save", pid, st.comm);
	for (pid_t up = getppid(); up > 0;) {
		struct proc_stat parent;

		if (up == pid)
			return fail(EINVAL, "pid %d (%s): tinyckpt runs inside it: run it from outside", pid, st.comm);
		if (proc_stat(up, 0, &parent))
			break;
		up = parent.ppid;
	}
	if (geteuid() != 0 && status.credentials.uid[0] != geteuid())
		return fail(EPERM, "pid %d (%s): it belongs to user %u: only root may save it", pid, st.comm, status.credentials.uid[0]);
	return 0;
}

void target_stdio(struct save *s)
{
	for (int i = 0; i < 3; i++) {
		struct opened *o = &s->stdio[i];

		o->fd = -1;
		if (!s->options->inherit_stdio)
			continue;
		snprintf(o->access, sizeof(o->access), "/proc/%d/fd/%d", s->tree.processes[0].tid, i);
		if (!proc_lookup(o->access, 0, &o->st))
			o->fd = i;
	}
}
