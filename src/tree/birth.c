/* SPDX-License-Identifier: MIT */
#include "tree/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "kernel/task_memory.h"
#include "tree/reborn.h"
#include "tree/records.h"

/* A number can be held by a zombie that init is about to reap: so long it is worth waiting. */
enum { NUMBER_WAIT_MS = 3000, NUMBER_POLL_MS = 2 };

struct born *birth_find(const struct restore *r, pid_t pid)
{
	struct born *b = (struct born *)(void *)r->born.data;

	for (size_t i = 0; i < r->born.len / sizeof(*b); i++)
		if (b[i].pid == pid)
			return &b[i];
	return NULL;
}

static int number_taken(pid_t pid)
{
	struct proc_stat st;

	if (!proc_stat(pid, 0, &st))
		return fail(EEXIST, "pid %d is taken, by %s: end it, or wait for it", pid, st.comm);
	return fail(EEXIST, "pid %d is taken, by a thread, a process group or a session", pid);
}

/* Calls make() until the number is free.  Returns what it returned last. */
static long with_number(pid_t pid, long (*make)(void *arg, pid_t pid), void *arg)
{
	struct timespec pause = { 0, NUMBER_POLL_MS * 1000000 };
	bool said = false;
	long ret;

	for (int waited = 0;; waited += NUMBER_POLL_MS) {
		ret = make(arg, pid);
		if (ret != -EEXIST || waited >= NUMBER_WAIT_MS)
			return ret;
		if (!said && waited >= 100) {
			log_info("waiting for pid %d, which is taken", pid);
			said = true;
		}
		nanosleep(&pause, NULL);
	}
}

/* --- the root: forked from the agent, as a child of the tool (see src/restore.c) --- */

struct root {
	int wait;		/* end of file here: the agent is dead before it took hold */
	int alive;		/* the other end, which must be the agent's alone */
	int result[2];		/* what a ghost says: 0 or an errno */
	pid_t root;
	bool ghost;		/* make a session first, then the root in it */
};

/* flags: 0 or CLONE_PARENT, which takes the exit signal from the caller. */
static long fork_with_number(pid_t pid, uint64_t flags)
{
	struct clone3_args args = { .flags = flags, .exit_signal = flags ? 0 : SIGCHLD, .set_tid = (uintptr_t)&pid,
				    .set_tid_size = 1 };
	long ret = syscall(SYS_clone3, &args, sizeof(args));

	return ret < 0 ? -errno : ret;
}

/* Nothing here may come back: what runs is a copy of the tool until its tracer leads it elsewhere. */
static __attribute__((noreturn)) void wait_for_tracer(const struct root *root)
{
	char c;

	close(root->result[1]);
	while (read(root->wait, &c, 1) > 0)
		;
	_exit(1);
}

static long make_root(void *arg, pid_t pid)
{
	const struct root *root = arg;
	long ret = fork_with_number(pid, CLONE_PARENT);
	int said;

	if (ret)
		return ret;
	close(root->alive);
	if (!root->ghost)
		wait_for_tracer(root);

	/* a dead session leader, alive once more for as long as it takes to have the root in its session */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	ret = fork_with_number(root->root, 0);
	if (!ret)
		wait_for_tracer(root);
	said = ret < 0 ? (int)-ret : 0;
	_exit(write_all(root->result[1], &said, sizeof(said)) != 0);
}

/* What every task inherits: no handlers, no ignored signals, and all blocked. */
static int clean_signals(struct restore *r, pid_t pid)
{
	/* all but SIGTRAP: a trap whose signal is blocked would set its action back to the default */
	const uint64_t all = ~(1ULL << (SIGTRAP - 1));
	const struct kernel_sigaction action = { 0 };
	struct program p;
	long none;
	int err = thread_set_sigmask(pid, all);

	if (err)
		return fail(err, "task %d: its signal mask: %s", pid, strerror(-err));
	reborn_program(r, &p);
	none = program_data(&p, &action, sizeof(action));
	for (int sig = 1; sig <= 64; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			program_call(&p, OP_MUST, SYS_rt_sigaction, sig, none, 0, 8);
	return reborn_run(r, pid, &p, "its signal actions");
}

static int take_hold(struct restore *r, pid_t pid)
{
	struct stop stop;
	int err = thread_seize(pid, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);

	if (!err)
		err = thread_halt(pid, &stop);
	if (err)
		return fail(err, "task %d: cannot be held: %s", pid, strerror(-err));
	if (buffer_append(&r->threads, &pid, sizeof(pid)))
		return fail(ENOMEM, "out of memory");
	return clean_signals(r, pid);
}

static int make_first(struct restore *r, const Process *m)
{
	CLEANUP_CLOSE int read_end = -1;
	CLEANUP_CLOSE int write_end = -1;
	struct root root = { .root = (pid_t)m->pid };
	pid_t first = (pid_t)m->pid;
	CLEANUP_CLOSE int said_read = -1;
	CLEANUP_CLOSE int said_write = -1;
	int ends[2], said;
	long ret;

	if (pipe2(ends, O_CLOEXEC))
		return fail_errno("pipe");
	read_end = root.wait = ends[0];
	write_end = root.alive = ends[1];
	if (pipe2(root.result, O_CLOEXEC))
		return fail_errno("pipe");
	said_read = root.result[0];
	said_write = root.result[1];
	if (m->sid != m->pid && (pid_t)m->sid != getsid(0)) {
		root.ghost = true;
		first = (pid_t)m->sid;
	}
	ret = with_number(first, make_root, &root);
	if (ret == -EEXIST)
		return number_taken(first);
	if (ret < 0)
		return fail((int)ret, "process %d: cannot be made: %s", first, strerror((int)-ret));
	if (root.ghost) {
		close(scope_keep(&said_write));
		if (read_all(said_read, &said, sizeof(said)))
			return fail(EIO, "session %d: its leader could not be made again", first);
		if (said == EEXIST)
			return number_taken(root.root);
		if (said)
			return fail(said, "process %d: cannot be made: %s", root.root, strerror(said));
	}
	ret = take_hold(r, root.root);
	if (ret)	/* not held, it would wait for us, and we for its end */
		kill(root.root, SIGKILL);
	return (int)ret;
}

/* --- all others: forked from their parents, by programs --- */

struct forking {
	struct restore *r;
	pid_t parent;
	uint64_t flags, exit_signal;
	int err;
};

static long fork_in_parent(void *arg, pid_t pid)
{
	struct forking *f = arg;
	struct clone3_args args = { .flags = f->flags | CLONE_PTRACE, .exit_signal = f->exit_signal, .set_tid_size = 1 };
	struct program p;
	long at;
	int op;

	reborn_program(f->r, &p);
	args.set_tid = (uintptr_t)program_data(&p, &pid, sizeof(pid));
	at = program_data(&p, &args, sizeof(args));
	op = program_call(&p, 0, SYS_clone3, at, sizeof(args));
	f->err = reborn_run(f->r, f->parent, &p, "making a process");
	return f->err ? f->err : program_result(&p, op);
}

static int clone_in(struct restore *r, pid_t in, pid_t number, uint64_t flags, uint64_t exit_signal)
{
	struct forking f = { .r = r, .parent = in, .flags = flags, .exit_signal = exit_signal };
	long ret = with_number(number, fork_in_parent, &f);

	if (f.err)
		return f.err;
	if (ret == -EEXIST)
		return number_taken(number);
	if (ret < 0)
		return fail((int)ret, "task %d: cannot be made: %s", number, strerror((int)-ret));
	return reborn_note(r, number);
}

int birth_thread(struct restore *r, pid_t pid, pid_t tid)
{
	return clone_in(r, pid, tid, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, 0);
}

static int lead_session(struct restore *r, struct born *b)
{
	struct program p;
	int err;

	if (b->in_session || b->sid != b->pid)
		return 0;
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_setsid, 0);
	err = reborn_run(r, b->pid, &p, "leading its session");
	b->in_session = !err;
	return err;
}

/*
 * A process whose session was made by a process that is dead by now: that one lives once more, as a child of the
 * process's parent, which adopts the orphans that it leaves.
 */
static int session_of_dead_leader(struct restore *r, pid_t parent, pid_t sid)
{
	const struct ghost *g = (const struct ghost *)(const void *)r->ghosts.data;
	struct ghost new = { sid, parent };
	struct program p;
	int err;

	for (size_t i = 0; i < r->ghosts.len / sizeof(*g); i++)
		if (g[i].sid == sid)
			return g[i].parent == parent ? 0 : fail(EOPNOTSUPP, "session %d of a dead leader has members of several parents",
								sid);
	err = clone_in(r, parent, sid, 0, 0);
	if (err)
		return err;
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_setsid, 0);
	err = reborn_run(r, sid, &p, "leading a session");
	if (err)
		return err;
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	err = reborn_run(r, parent, &p, "adopting the orphans of a session's leader");
	if (!err && buffer_append(&r->ghosts, &new, sizeof(new)))
		err = fail(ENOMEM, "out of memory");
	return err;
}

/* A child of the same parent that is in the session: it can have a sibling (CLONE_PARENT), with the exit signal it has. */
static struct born *sibling_in_session(struct restore *r, const Process *m)
{
	struct born *all = (struct born *)(void *)r->born.data;

	for (size_t i = 0; i < r->born.len / sizeof(*all); i++)
		if (all[i].parent == (pid_t)m->parent && all[i].sid == (pid_t)m->sid && all[i].exit_signal == m->exit_signal)
			return &all[i];
	return NULL;
}

/* Where in a tree a process may be in which session: check_sessions() in tree/obstacles.c tells the same beforehand. */
static int make_child(struct restore *r, const Process *m)
{
	struct born *parent = birth_find(r, (pid_t)m->parent), *sibling;
	int err = 0;

	if (!parent || parent->zombie)
		return fail(EIMAGE, "process %u: its parent %u does not come before it", m->pid, m->parent);
	/* what left the parent's session by its own, or was there all the time, is forked from inside it */
	if (m->sid == m->pid || (pid_t)m->sid == parent->sid)
		err = lead_session(r, parent);
	if (err)
		return err;
	if (m->sid == m->pid || getsid(parent->pid) == (pid_t)m->sid)
		return clone_in(r, parent->pid, (pid_t)m->pid, 0, m->exit_signal);
	sibling = sibling_in_session(r, m);
	if (sibling) {
		err = lead_session(r, sibling);
		return err ? err : clone_in(r, sibling->pid, (pid_t)m->pid, CLONE_PARENT, 0);
	}
	err = session_of_dead_leader(r, parent->pid, (pid_t)m->sid);
	return err ? err : clone_in(r, (pid_t)m->sid, (pid_t)m->pid, 0, m->exit_signal);
}

int birth(struct restore *r, const struct record *rec)
{
	Process m;
	struct born b = { 0 };
	int err = record_decode(rec, Process_fields, &m);

	if (err)
		return err;
	if (!m.pid || m.pid > 4194304 || m.sid > 4194304 || m.pgid > 4194304 || birth_find(r, (pid_t)m.pid))
		return fail(EIMAGE, "process %u: an absurd or repeated number", m.pid);
	if (!m.parent != (m.pid == r->tree.root) || (m.pid == r->tree.root) != !r->born.len)
		return fail(EIMAGE, "process %u: not in its place in the tree", m.pid);
	b.pid = (pid_t)m.pid;
	b.parent = (pid_t)m.parent;
	b.sid = (pid_t)m.sid;
	b.pgid = (pid_t)m.pgid;
	b.zombie = m.zombie;
	b.stop_signal = m.stop_signal < 65 ? (int)m.stop_signal : 0;
	b.exit_status = m.exit_status;
	b.exit_signal = m.exit_signal;
	memcpy(b.comm, m.comm, sizeof(b.comm));
	CONTEXT("pid %d (%s)", b.pid, b.comm);
	err = m.parent ? make_child(r, &m) : make_first(r, &m);
	if (!err && buffer_append(&r->born, &b, sizeof(b)))
		err = fail(ENOMEM, "out of memory");
	return err;
}

/* --- when all are there --- */

static int join_group(struct restore *r, struct born *b, pid_t group)
{
	struct program p;

	if (getpgid(b->pid) == group)
		return 0;
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_setpgid, 0, group == b->pid ? 0 : group);
	return reborn_run(r, b->pid, &p, "joining its process group");
}

/* Forgets a task that was killed for good. */
static void forget(struct restore *r, pid_t tid)
{
	pid_t *tids = (pid_t *)(void *)r->threads.data;
	size_t n = r->threads.len / sizeof(*tids);

	for (size_t i = 0; i < n; i++) {
		if (tids[i] == tid) {
			memmove(&tids[i], &tids[i + 1], (n - i - 1) * sizeof(*tids));
			r->threads.len -= sizeof(*tids);
			return;
		}
	}
}

static int end_ghost(struct restore *r, pid_t ghost, pid_t parent)
{
	struct program p;

	kill(ghost, SIGKILL);
	thread_reap(ghost);
	forget(r, ghost);
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_wait4, ghost, 0, __WALL, 0);
	return reborn_run(r, parent, &p, "ending a dead leader again");
}

/* The leader of a group is dead: it lives once more until every member has joined. */
static int group_of_dead_leader(struct restore *r, struct born *first)
{
	struct born *all = (struct born *)(void *)r->born.data;
	size_t n = r->born.len / sizeof(*all);
	pid_t group = first->pgid;
	struct born ghost = { .pid = group, .pgid = group };
	int err = clone_in(r, first->pid, group, 0, 0);

	if (!err)
		err = join_group(r, &ghost, group);
	for (size_t i = 0; !err && i < n; i++)
		if (all[i].pgid == group)
			err = join_group(r, &all[i], group);
	if (err)
		return err;
	return end_ghost(r, group, first->pid);
}

static bool is_group_of_another(const struct restore *r, const struct born *b)
{
	const struct born *all = (const struct born *)(const void *)r->born.data;

	for (size_t i = 0; i < r->born.len / sizeof(*all); i++)
		if (all[i].pgid == b->pid && &all[i] != b)
			return true;
	return false;
}

/* Leads what it leads, or has left since to others. */
static int lead_group(struct restore *r, struct born *b)
{
	int err = lead_session(r, b);

	if (!err && (b->pgid == b->pid || is_group_of_another(r, b)))
		err = join_group(r, b, b->pid);
	if (!err && getsid(b->pid) != b->sid)
		err = fail(EOPNOTSUPP, "its session %d has no leader in the tree", b->sid);
	return err;
}

static int join_others_group(struct restore *r, struct born *b)
{
	if (getpgid(b->pid) == b->pgid)
		return 0;
	if (birth_find(r, b->pgid) || (getpgid(b->pgid) == b->pgid && getsid(b->pgid) == b->sid))
		return join_group(r, b, b->pgid);
	return group_of_dead_leader(r, b);
}

/* Leaders first; those that left their own group last, when it has its members. */
static int settle_groups(struct restore *r)
{
	enum { LEADERS, MEMBERS, LEAVERS };
	struct born *all = (struct born *)(void *)r->born.data;
	size_t n = r->born.len / sizeof(*all);

	for (int turn = LEADERS; turn <= LEAVERS; turn++) {
		for (size_t i = 0; i < n; i++) {
			CONTEXT("pid %d (%s)", all[i].pid, all[i].comm);
			int err = 0;

			if (turn == LEADERS)
				err = lead_group(r, &all[i]);
			else if (is_group_of_another(r, &all[i]) == (turn == LEAVERS))
				err = join_others_group(r, &all[i]);
			if (err)
				return err;
		}
	}
	return 0;
}

static int stop_again(struct restore *r, const struct born *b)
{
	const uint64_t others = ~(1ULL << (SIGTRAP - 1) | 1ULL << (b->stop_signal - 1)), all = ~(1ULL << (SIGTRAP - 1));
	struct stop stop;
	int err;

	(void)r;
	/* a real one, so that the parent's wait(2) sees it; the thread can still be led by us */
	if (kill(b->pid, SIGSTOP))
		return fail_errno("stopping it again");
	err = thread_set_sigmask(b->pid, others);
	if (!err)
		err = thread_continue(b->pid, 0);
	while (!err && !(err = thread_wait(b->pid, &stop))) {
		if (stop.kind == STOP_GROUP && !(err = thread_set_sigmask(b->pid, all)))
			return 0;
		if (stop.kind == STOP_EXITED || (stop.kind == STOP_SIGNAL && stop.signal == SIGSEGV))
			err = -ESRCH;
		else
			err = thread_continue(b->pid, stop.kind == STOP_SIGNAL && stop.signal == SIGSTOP ? b->stop_signal : 0);
	}
	return fail(err, "stopping it again: %s", strerror(-err));
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
	reborn_program(r, &p);
	if (signal) {
		/* at a stop for a signal any other may be put in its place */
		err = thread_set_sigmask(b->pid, 0);
		if (!err)
			err = thread_continue(b->pid, signal);
	} else {
		struct arch_regs regs;

		program_call(&p, 0, SYS_exit_group, (long)(b->exit_status >> 8 & 0xff));
		err = task_write(b->pid, p.base, p.image, p.ops * sizeof(struct op));
		if (!err)
			err = thread_regs(b->pid, &regs);
		arch_set_entry(&regs, r->area, r->area + REBORN_STACK, p.base);
		if (!err)
			err = thread_set_regs(b->pid, &regs);
		if (!err)
			err = thread_continue(b->pid, 0);
	}
	if (err)
		return fail(err, "ending it again: %s", strerror(-err));
	thread_reap(b->pid);
	forget(r, b->pid);
	return 0;
}

int birth_settle(struct restore *r)
{
	struct born *all = (struct born *)(void *)r->born.data;
	const struct ghost *g = (const struct ghost *)(const void *)r->ghosts.data;
	int err = settle_groups(r);

	for (size_t i = 0; !err && i < r->ghosts.len / sizeof(*g); i++)
		err = end_ghost(r, g[i].sid, g[i].parent);
	for (size_t i = 0; !err && i < r->born.len / sizeof(*all); i++) {
		CONTEXT("pid %d (%s)", all[i].pid, all[i].comm);

		if (all[i].zombie)
			err = end_zombie(r, &all[i]);
		else if (all[i].stop_signal)
			err = stop_again(r, &all[i]);
	}
	return err;
}
