/* SPDX-License-Identifier: MIT */
#include "tree/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/lacking.h"
#include "kernel/pid_counter.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "tree/pids.h"
#include "tree/reborn.h"
#include "tree/remap.h"

enum { RSEQ_UNREGISTER = 1 };	/* linux/rseq.h */

/* A number can be held by a zombie that init is about to reap: so long it is worth waiting. */
enum { GHOST_WAIT_MS = 20000, NUMBER_WAIT_MS = 3000, NUMBER_POLL_MS = 2, NUMBER_SOON_MS = 100, NUMBER_LATER_MS = 20,
	AS_NEXT_TRIES = 8 };

struct born *birth_find(const struct restore *r, pid_t pid)
{
	struct born *b = (struct born *)(void *)r->born.data;
	uint32_t i = r->born_box[pid % 64u];

	while (i && b[i - 1].pid != pid)
		i = b[i - 1].before;
	return i ? &b[i - 1] : NULL;
}

static int number_taken(pid_t pid)
{
	struct proc_stat st;
	char by[128];

	if (IS_ON_PIDS && pids_taken_by(pid, by, sizeof(by)))
		return fail(EEXIST, "pid %d is taken, by %s: end it, or wait for it", pid, by);
	if (!IS_ON_PIDS && !proc_stat(pid, 0, &st))
		return fail(EEXIST, "pid %d is taken, by %s: end it, or wait for it", pid, st.comm);
	return fail(EEXIST, "pid %d is taken, by a thread, a process group or a session", pid);
}

static int not_made(pid_t pid, long err)
{
	if (err == -EEXIST)
		return number_taken(pid);
	if (IS_ON_OLD_KERNELS && err == -ERANGE)
		return fail(ERANGE, "pid %d: this kernel gives numbers below %d only once, after it has started (Linux 5.5, or "
				    "CONFIG_CHECKPOINT_RESTORE): --pidns has numbers of its own", pid, PID_RESERVED);
	return fail_for((int)err, "task %d: cannot be made", pid);
}

/* Calls make() until the number is free.  Returns what it returned last. */
static long with_number(pid_t pid, long (*make)(void *arg, pid_t pid), void *arg)
{
	struct timespec pause = { 0, NUMBER_POLL_MS * 1000000 };
	bool said = false;
	long ret;

	for (int waited = 0;; waited += (int)(pause.tv_nsec / 1000000)) {
		ret = make(arg, pid);
		if (ret != -EEXIST || waited >= NUMBER_WAIT_MS)
			return ret;
		if (!said && waited >= NUMBER_SOON_MS) {
			pause.tv_nsec = NUMBER_LATER_MS * 1000000;	/* a busy machine makes each much longer */
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

/*
 * No number can be asked for: clone3(2) came with Linux 5.3, its set_tid with 5.5.  Then it is made the next one that the kernel
 * gives, and whoever has got another, since somebody else was faster, is ended again.
 */
static bool cannot_be_asked(long ret)
{
	return IS_ON_OLD_KERNELS && (ret == -ENOSYS || ret == -E2BIG);
}

static long fork_as_next(pid_t pid, uint64_t flags)
{
	for (int i = 0; i < AS_NEXT_TRIES; i++) {
		long got, err = pid_counter_before(pid);

		if (err)
			return err;
		got = syscall(SYS_clone, flags ? flags : SIGCHLD, 0, 0, 0, 0);
		err = -errno;
		if (!got && getpid() == pid)
			return 0;
		if (!got)
			_exit(0);
		pid_counter_back();
		if (got < 0 || got == pid)
			return got < 0 ? err : got;
		if (!flags)
			waitpid((pid_t)got, NULL, 0);
	}
	return -EAGAIN;
}

/* flags: 0 or CLONE_PARENT, which takes the exit signal from the caller. */
static long fork_with_number(pid_t pid, uint64_t flags)
{
	struct clone3_args args = { .flags = flags, .exit_signal = flags ? 0 : SIGCHLD, .set_tid = (uintptr_t)&pid,
				    .set_tid_size = 1 };
	long ret = syscall(SYS_clone3, &args, sizeof(args));

	if (ret < 0)
		ret = -errno;
	return cannot_be_asked(ret) ? fork_as_next(pid, flags) : ret;
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

/* A restartable sequence that the tool's own C library registered: from Linux 5.13 on the kernel tells, else glibc does. */
static bool has_rseq(pid_t pid, struct rseq_configuration *c)
{
	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, pid, sizeof(*c), c) > 0)
		return c->rseq_abi_pointer != 0;
#if __has_include(<sys/rseq.h>)
	c->rseq_abi_pointer = (uintptr_t)__builtin_thread_pointer() + (uintptr_t)__rseq_offset;
	c->rseq_abi_size = 32;
	c->signature = RSEQ_SIG;
	return __rseq_size != 0;
#else
	return false;
#endif
}

/* What every task inherits: no handlers, no ignored signals, and all blocked; nothing that the tool's C library arranged. */
static int clean_up(struct restore *r, pid_t pid)
{
	struct rseq_configuration rseq;
	/* all but SIGTRAP: a trap whose signal is blocked would set its action back to the default */
	const uint64_t all = ~(1ULL << (SIGTRAP - 1));
	const struct kernel_sigaction action = { 0 };
	struct program p;
	long none;
	int err = thread_set_sigmask(pid, all);

	if (err)
		return fail_for(err, "task %d: its signal mask", pid);
	reborn_program(r, &p);
	none = program_data(&p, &action, sizeof(action));
	for (int sig = 1; sig <= 64; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			program_call(&p, OP_MUST, SYS_rt_sigaction, sig, none, 0, 8);
	if (has_rseq(pid, &rseq))
		program_call(&p, OP_MUST, SYS_rseq, (long)rseq.rseq_abi_pointer, (long)rseq.rseq_abi_size, RSEQ_UNREGISTER,
			     (long)rseq.signature);
	return reborn_run(r, pid, &p, "its signal actions");
}

static int take_hold(struct restore *r, pid_t pid)
{
	struct stop stop;
	int err = thread_seize(pid, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);

	if (!err)
		err = thread_halt(pid, &stop);
	if (IS_ON_BARE_KERNELS && err == -EPERM && lacking_tracers())
		return fail(EPERM, "task %d: cannot be held: %s", pid, lacking_tracers());
	if (err)
		return fail_for(err, "task %d: cannot be held", pid);
	if (buffer_append(&r->threads, &pid, sizeof(pid)))
		return fail(ENOMEM, "out of memory");
	return clean_up(r, pid);
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
	if (ret < 0)
		return not_made(first, ret);
	if (root.ghost) {
		struct pollfd said_end = { .fd = said_read, .events = POLLIN };

		close(scope_keep(&said_write));
		/* it may have been stopped */
		if (poll(&said_end, 1, GHOST_WAIT_MS) <= 0 || read_all(said_read, &said, sizeof(said)))
			return fail(EIO, "session %d: its leader could not be made again", first);
		if (said)
			return not_made(root.root, -said);
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

static bool has(const struct buffer *tasks, pid_t tid)
{
	const pid_t *task = (const pid_t *)(const void *)tasks->data;

	for (size_t i = 0; i < tasks->len / sizeof(*task); i++)
		if (task[i] == tid)
			return true;
	return false;
}

/* One that got another number than it was to have: its parent, if that is not the tool, takes note of its end. */
static int end_stranger(struct forking *f, pid_t tid)
{
	struct proc_stat st;
	int err = reborn_note(f->r, tid);

	if (err)
		return err;
	if (f->flags & CLONE_THREAD)
		err = reborn_exit(f->r, tid, SYS_exit, 0);
	else if (!proc_stat(tid, 0, &st) && has(&f->r->threads, st.ppid))
		return birth_end(f->r, tid, st.ppid);
	else
		kill(tid, SIGKILL);
	birth_forget(f->r, tid);
	return err;
}

static long fork_as_next_in_parent(struct forking *f, pid_t pid)
{
	for (int i = 0; i < AS_NEXT_TRIES; i++) {
		struct program p;
		int op, err = pid ? pid_counter_before(pid) : 0;
		long got;

		if (err)
			return err;
		reborn_program(f->r, &p);
		op = program_call(&p, 0, SYS_clone, (long)(f->flags | CLONE_PTRACE | f->exit_signal), 0, 0, 0, 0);
		f->err = reborn_run(f->r, f->parent, &p, "making a process");
		if (pid)
			pid_counter_back();
		got = f->err ? f->err : program_result(&p, op);
		if (got < 0 || !pid || got == pid)
			return got;
		f->err = end_stranger(f, (pid_t)got);
		if (f->err)
			return f->err;
	}
	return -EAGAIN;
}

static long fork_in_parent(void *arg, pid_t pid)
{
	struct forking *f = arg;
	struct clone3_args args = { .flags = f->flags | CLONE_PTRACE, .exit_signal = f->exit_signal };
	struct program p;
	long at, ret;
	int op;

	reborn_program(f->r, &p);
	if (pid) {
		args.set_tid = (uintptr_t)program_data(&p, &pid, sizeof(pid));
		args.set_tid_size = 1;
	}
	at = program_data(&p, &args, sizeof(args));
	op = program_call(&p, 0, SYS_clone3, at, sizeof(args));
	f->err = reborn_run(f->r, f->parent, &p, "making a process");
	ret = f->err ? f->err : program_result(&p, op);
	return !f->err && cannot_be_asked(ret) ? fork_as_next_in_parent(f, pid) : ret;
}

int birth_clone(struct restore *r, pid_t in, pid_t *number, uint64_t flags, uint64_t exit_signal)
{
	struct forking f = { .r = r, .parent = in, .flags = flags, .exit_signal = exit_signal };
	long ret = with_number(*number, fork_in_parent, &f);

	if (f.err)
		return f.err;
	if (ret < 0)
		return not_made(*number, ret);
	if (exit_signal)
		r->of_children |= 1ULL << (exit_signal - 1) % 64;
	*number = (pid_t)ret;
	return reborn_note(r, *number);
}

/* --- threads: where the image tells their numbers before, all of a process by one program --- */

static const uint64_t THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

/* As many as one program can make; who cannot be made so is made by itself then, with all patience. */
static int make_some(struct restore *r, pid_t pid, uint32_t *task, size_t n, size_t *made)
{
	const struct clone3_args any = { .flags = THREAD_FLAGS | CLONE_PTRACE, .set_tid_size = 1 };
	size_t asked = 0, lacking = 0;
	struct program p;
	int err;

	reborn_program(r, &p);
	for (; asked < n && program_fits(&p, 2, sizeof(any) + 2 * 16); asked++) {
		struct clone3_args args = any;

		args.set_tid = (uintptr_t)program_data(&p, &task[asked], sizeof(*task));
		program_call(&p, 0, SYS_clone3, program_data(&p, &args, sizeof(args)), sizeof(args));
	}
	err = reborn_run(r, pid, &p, "making threads");
	for (size_t i = 0; !err && i < asked; i++) {
		const uint32_t tid = task[i];

		if (program_result(&p, (int)i) == (long)tid) {
			err = reborn_note(r, (pid_t)tid);
		} else {	/* those in front */
			task[i] = task[lacking];
			task[lacking++] = tid;
		}
	}
	for (size_t i = 0; !err && i < lacking; i++) {
		pid_t tid = (pid_t)task[i];

		err = birth_clone(r, pid, &tid, THREAD_FLAGS, 0);
	}
	*made += asked;
	return err;
}

static int make_threads(struct restore *r, const struct born *b)
{
	uint32_t *task = (uint32_t *)(void *)r->tasks.data;
	const size_t n = r->tasks.len / sizeof(*task);
	size_t at = 0, end;
	int err = 0;

	while (at < n && task[at] != (uint32_t)b->pid)
		at++;
	end = b->threads && b->threads - 1 < n - at ? at + b->threads : at;
	r->made_threads.pid = b->pid;
	r->made_threads.next = r->made_threads.end = at == end ? at : at + 1;
	while (!err && r->made_threads.end < end)
		err = make_some(r, b->pid, &task[r->made_threads.end], end - r->made_threads.end, &r->made_threads.end);
	return err;
}

int birth_thread(struct restore *r, pid_t pid, pid_t tid)
{
	uint32_t *task = (uint32_t *)(void *)r->tasks.data;
	int err = IS_ON_PIDS && r->made_threads.pid != pid ? make_threads(r, birth_find(r, pid)) : 0;

	if (err)
		return err;
	for (size_t i = r->made_threads.next; IS_ON_PIDS && i < r->made_threads.end; i++) {
		if (task[i] != (uint32_t)tid)
			continue;
		task[i] = task[r->made_threads.next++];
		return 0;
	}
	return has(&r->threads, tid) ? fail(EIMAGE, "thread %u: absurd", (unsigned int)tid) :
				       birth_clone(r, pid, &tid, THREAD_FLAGS, 0);
}

int birth_threads_end(const struct restore *r, pid_t pid)
{
	const size_t left = r->made_threads.end - r->made_threads.next;

	return left && r->made_threads.pid == pid ? fail(EIMAGE, "process %d: %zu of its threads are missing", pid, left) : 0;
}

int birth_lead(struct restore *r, const struct born *b)
{
	struct program p;

	if (b->sid != b->pid || getsid(b->pid) == b->pid)
		return 0;
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_setsid, 0);
	return reborn_run(r, b->pid, &p, "leading its session");
}

/* A session is inherited: from before the parent led its own, or from then on. */
static int make_child(struct restore *r, const Process *m)
{
	const struct born *parent = birth_find(r, (pid_t)m->parent);
	const pid_t session = (pid_t)(m->sid != m->pid ? m->sid : m->birth_sid);
	pid_t pid = (pid_t)m->pid;
	int err = 0;

	if (!parent || parent->zombie)
		return fail(EIMAGE, "process %u: its parent %u does not come before it", m->pid, m->parent);
	if (has(&r->made, pid))
		return 0;
	if (r->aside.pid == parent->pid)
		err = remap_finish(r);
	if (!err && session == parent->sid)
		err = birth_lead(r, parent);
	if (!err && session && getsid(parent->pid) != session)
		err = fail(EIMAGE, "its session %d is not its parent's", session);
	return err ? err : birth_clone(r, parent->pid, &pid, 0, m->exit_signal);
}

int birth(struct restore *r, const struct record *rec)
{
	Process m;
	struct born b = { 0 };
	uint32_t *box;
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
	b.stop_signal = m.stop_signal < 65 ? (uint8_t)m.stop_signal : 0;
	b.exit_status = m.exit_status;
	b.exit_signal = m.exit_signal;
	b.threads = m.threads;
	memcpy(b.comm, m.comm, sizeof(b.comm));
	CONTEXT("pid %d (%s)", b.pid, b.comm);
	err = m.parent ? make_child(r, &m) : make_first(r, &m);
	box = &r->born_box[b.pid % 64u];
	b.before = *box;
	if (!err && buffer_append(&r->born, &b, sizeof(b)))
		err = fail(ENOMEM, "out of memory");
	if (!err)
		*box = (uint32_t)(r->born.len / sizeof(b));
	return err;
}

/* --- those that live for a while only --- */

void birth_forget(struct restore *r, pid_t tid)
{
	pid_t *tids = (pid_t *)(void *)r->threads.data;
	size_t n = r->threads.len / sizeof(*tids);

	thread_reap(tid);
	for (size_t i = 0; i < n; i++) {
		if (tids[i] == tid) {
			memmove(&tids[i], &tids[i + 1], (n - i - 1) * sizeof(*tids));
			r->threads.len -= sizeof(*tids);
			return;
		}
	}
}

int birth_end(struct restore *r, pid_t pid, pid_t parent)
{
	struct program p;

	kill(pid, SIGKILL);
	birth_forget(r, pid);
	reborn_program(r, &p);
	program_call(&p, OP_MUST, SYS_wait4, pid, 0, __WALL, 0);
	return reborn_run(r, parent, &p, "ending a dead leader again");
}
