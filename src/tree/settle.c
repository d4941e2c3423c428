/* SPDX-License-Identifier: MIT */
#include "tree/settle.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "kernel/abi.h"
#include "kernel/ptrace.h"
#include "tree/birth.h"
#include "tree/reborn.h"

static int join_group(struct restore *r, struct born *b, pid_t group)
{
	struct program p;

	if (getpgid(b->pid) == group)
		return 0;
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_setpgid, 0, group == b->pid ? 0 : group);
	return reborn_run(r, b->pid, &p, "joining its process group");
}

static int note_leader(struct restore *r, struct born *b)
{
	struct born *leader = birth_find(r, b->pgid);

	if (leader)
		leader->leads_group = true;
	return 0;
}

/* Leads what it leads, or has left since to others. */
static int lead_group(struct restore *r, struct born *b)
{
	int err = birth_lead(r, b);

	if (!err && b->leads_group)
		err = join_group(r, b, b->pid);
	if (!err && getsid(b->pid) != b->sid)
		err = fail(EOPNOTSUPP, "its session %d has no leader in the tree", b->sid);
	return err;
}

static int make_ghost(struct restore *r, pid_t number, pid_t parent)
{
	struct ghost ghost = { number, parent };
	int err = birth_clone(r, parent, &ghost.pid, 0, 0);

	return !err && buffer_append(&r->ghosts, &ghost, sizeof(ghost)) ? fail(ENOMEM, "out of memory") : err;
}

/* Where its group's leader is dead, the first to miss it bears it once more. */
static int revive_leader(struct restore *r, struct born *b)
{
	struct born ghost = { .pid = b->pgid };
	int err;

	if (getpgid(b->pid) == b->pgid || birth_find(r, b->pgid) || (getpgid(b->pgid) == b->pgid && getsid(b->pgid) == b->sid))
		return 0;
	err = make_ghost(r, b->pgid, b->pid);
	return err ? err : join_group(r, &ghost, b->pgid);
}

/* It will leave the group that it leads, and somebody must be in that for others to join. */
static int keep_group(struct restore *r, struct born *b)
{
	return b->pgid == b->pid || getpgid(b->pid) != b->pid ? 0 : make_ghost(r, 0, b->pid);
}

static int join_own_group(struct restore *r, struct born *b)
{
	return join_group(r, b, b->pgid);
}

/* Every number of a group is taken, and every group there, before anybody moves. */
static int settle_groups(struct restore *r)
{
	static int (*const turns[])(struct restore *r, struct born *b) = {
		note_leader, lead_group, revive_leader, keep_group, join_own_group,
	};
	struct born *all = (struct born *)(void *)r->born.data;
	size_t n = r->born.len / sizeof(*all);

	for (size_t turn = 0; turn < sizeof(turns) / sizeof(*turns); turn++) {
		for (size_t i = 0; i < n; i++) {
			CONTEXT("pid %d (%s)", all[i].pid, all[i].comm);
			int err = turns[turn](r, &all[i]);

			if (err)
				return err;
		}
	}
	return 0;
}

static int stop_again(struct restore *r, const struct born *b)
{
	static const char what[] = "stopping it again";
	const uint64_t others = ~(1ULL << (SIGTRAP - 1) | 1ULL << (b->stop_signal - 1)), all = ~(1ULL << (SIGTRAP - 1));
	struct program p;
	int err;

	if (thread_set_sigmask(b->pid, others))
		return fail_errno(what);
	/* a real one, so that the parent's wait(2) sees it; and a SIGCONT that somebody sends then is a real one, too */
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_kill, b->pid, SIGSTOP);
	r->stop_signal = b->stop_signal;
	err = reborn_run(r, b->pid, &p, what);
	r->stop_signal = SIGSTOP;
	return !err && thread_set_sigmask(b->pid, all) ? fail_errno(what) : err;
}

int settle_continue(struct restore *r, const struct born *b)
{
	static const struct kernel_timespec no_time;
	static const uint64_t sigcont = 1ULL << (SIGCONT - 1);
	struct born stopped = *b;
	struct program p;
	int err;

	stopped.stop_signal = SIGSTOP;
	err = stop_again(r, &stopped);
	if (err)
		return err;
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_kill, b->pid, SIGCONT);
	program_call(&p, 0, SYS_rt_sigtimedwait_time64, program_data(&p, &sigcont, sizeof(sigcont)), 0,
		     program_data(&p, &no_time, sizeof(no_time)), 8);
	return reborn_run(r, b->pid, &p, "letting it go on again");
}

static int end_zombie(struct restore *r, const struct born *b)
{
	int signal = (int)(b->exit_status & 0x7f);
	struct rlimit64_ {
		uint64_t soft, hard;
	} no_core = { 0, 0 };
	char comm[16];
	struct program p;
	int err;

	memcpy(comm, b->comm, sizeof(comm) - 1);
	comm[15] = '\0';
	reborn_program(r, &p);
	program_call(&p, 0, SYS_prctl, PR_SET_NAME, program_data(&p, comm, sizeof(comm)));
	program_call(&p, 0, SYS_prlimit64, 0, RLIMIT_CORE, program_data(&p, &no_core, sizeof(no_core)), 0);
	err = reborn_run(r, b->pid, &p, "ending it again");
	if (err)
		return err;
	if (signal) {
		/* at a stop for a signal any other may be put in its place */
		err = thread_set_sigmask(b->pid, 0);
		if (!err)
			err = thread_continue(b->pid, signal);
		if (err)
			return fail_for(err, "ending it again");
	} else {
		err = reborn_exit(r, b->pid, SYS_exit_group, (int)(b->exit_status >> 8 & 0xff));
		if (err)
			return err;
	}
	birth_forget(r, b->pid);
	return 0;
}

int settle(struct restore *r)
{
	struct born *all = (struct born *)(void *)r->born.data;
	const struct ghost *g;
	int err = settle_groups(r);

	g = (const struct ghost *)(const void *)r->ghosts.data;
	for (size_t i = 0; !err && i < r->ghosts.len / sizeof(*g); i++)
		err = birth_end(r, g[i].pid, g[i].parent);
	/* the stopped last: where a death leaves a group orphaned that has such, it is sent SIGHUP and SIGCONT (setpgid(2)) */
	for (int zombies = 1; zombies >= 0; zombies--) {
		for (size_t i = 0; !err && i < r->born.len / sizeof(*all); i++) {
			CONTEXT("pid %d (%s)", all[i].pid, all[i].comm);

			if (all[i].zombie && zombies)
				err = end_zombie(r, &all[i]);
			else if (!all[i].zombie && !zombies && all[i].stop_signal)
				err = stop_again(r, &all[i]);
		}
	}
	return err;
}
