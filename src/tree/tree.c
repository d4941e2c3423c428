/* SPDX-License-Identifier: MIT */
#include "tree/tree.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "kernel/lacking.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "tree/vdso.h"
#include "tree/visit.h"
#include "tree/way_home.h"

/* A thread that does not stand still by then sleeps where no signal reaches it, or waits for its vfork child. */
enum { HOLD_MS = 10000, END_MS = 60000, AWAY_TRIES = 400, PLACE_TRIES = 48 };

static struct thread *find_thread(struct process *p, pid_t tid)
{
	for (size_t i = 0; i < p->threads_n; i++)
		if (p->threads[i].tid == tid)
			return &p->threads[i];
	return NULL;
}

size_t tree_threads(const struct tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++)
		n += tree->processes[i].threads_n;
	return n;
}

/* Arrays grow by powers of two: the capacity follows from the length. */
static int grow(void *array, size_t n, size_t size)
{
	void **at = array;
	void *more;

	if (n & (n - 1))
		return 0;
	more = realloc(*at, (n ? 2 * n : 1) * size);
	if (!more)
		return fail(ENOMEM, "out of memory");
	*at = more;
	return 0;
}

/* Whoever ends all others, or becomes another program, waits in the kernel until their tracer has taken note (de_thread()). */
static void reap_ended(const void *arg)
{
	const struct process *p = arg;

	for (size_t i = 0; i < p->threads_n; i++) {
		const pid_t tid = p->threads[i].tid;
		struct stop stop = { 0 };

		if (tid != p->pid && !thread_poll(tid, &stop) && stop.kind == STOP_EXITED)
			thread_reap(tid);
	}
}

static int seize(struct process *p, pid_t tid, struct restart *restart)
{
	enum { TRIES = IS_ON_EXECS ? 20 : 0 };
	struct proc_status st = { 0 };
	struct proc_stat stat;
	int err;

	restart_note(p->pid, tid, restart);
	/* it waits for one that becomes another program, and that for others whom we hold */
	if (IS_ON_EXECS)
		wait_meanwhile(reap_ended, p);
	for (int tries = 0; (err = thread_seize(tid, PTRACE_O_TRACESYSGOOD)) == -EPERM; tries++) {
		if (proc_stat(p->pid, tid, &stat) || stat.state == 'Z')	/* it ended just now */
			err = -ESRCH;
		else if (proc_status(p->pid, tid, &st))
			st.tracer = 0;
		if (err == -ESRCH || st.tracer || tries == TRIES)
			break;
	}
	if (IS_ON_EXECS)
		wait_meanwhile(NULL, NULL);
	if (!err)
		err = thread_interrupt(tid);
	/* it may have become another program, and be held by the number that it had before */
	if (!err || err == -ESRCH || (IS_ON_EXECS && err == -EPERM && st.tracer == getpid()))
		return err == -ESRCH ? err : 0;
	if (err == -EPERM && st.tracer)
		return fail(EHOLDS, "thread %d: it is already traced, by process %d: end the debugger first", tid, st.tracer);
	if (IS_ON_BARE_KERNELS && err == -EPERM && lacking_tracers())
		return fail(EHOLDS, "thread %d: cannot be held: %s", tid, lacking_tracers());
	return fail_for(err, "thread %d: cannot be held", tid);
}

struct adding {
	struct tree *tree;
	size_t index;
	bool changed;
};

static int add_thread(void *arg, int tid)
{
	struct adding *a = arg;
	struct process *p = &a->tree->processes[a->index];
	struct thread t = { .tid = tid };
	int err;

	if (find_thread(p, tid) || (p->leader_ended && tid == p->pid))
		return 0;
	if (a->tree->held) {
		err = seize(p, tid, &t.restart);
		if (err == -ESRCH)
			return 0;
		if (err)
			return err;
	}
	err = grow(&p->threads, p->threads_n, sizeof(*p->threads));
	if (err)
		return err;
	p->threads[p->threads_n++] = t;
	a->changed = true;
	return 0;
}

/* One that has ended is a zombie until its tracer takes note, and as long its leader's end is not told (kernel/exit.c). */
static void drop_thread(struct process *p, size_t i)
{
	if (p->threads[i].tid != p->pid)
		thread_reap(p->threads[i].tid);
	p->threads[i] = p->threads[--p->threads_n];
}

/*
 * Waits until it stands still.  -ESRCH: it ended; the main thread may be about to do so before others, and its tracer is told of
 * that only when they have (kernel/exit.c).  -ECHILD: it became another program, and has the main thread's number now.
 */
static int hold_thread(const struct process *p, pid_t tid, struct stop *stop)
{
	const struct timespec pause = { 0, 1000000 };
	struct proc_stat st;
	int err;

	for (unsigned int tries = 0; (err = thread_poll_halted(tid, stop)) == -EAGAIN; tries++) {
		if (tries < 200) {
			sched_yield();
			continue;
		}
		if (tid == p->pid && !proc_stat(tid, 0, &st) && (st.state == 'Z' || st.state == 'X'))
			return -ESRCH;
		if (IS_ON_EXECS)
			reap_ended(p);
		/* while it became another program it may have lost an interrupt; it is not to get two */
		if (IS_ON_EXECS && tries % 16 == 0 && !proc_stat(p->pid, tid, &st) && (st.state == 'R' || st.state == 'S'))
			(void)thread_interrupt(tid);
		nanosleep(&pause, NULL);
	}
	return err;
}

/* Waits for those that were not waited for yet. */
static int hold_threads(struct process *p)
{
	while (p->halted < p->threads_n) {
		pid_t tid = p->threads[p->halted].tid;
		struct stop stop;
		int err = hold_thread(p, tid, &stop);

		if (err == -ESRCH || err == -ECHILD) {	/* between being found and being held */
			drop_thread(p, p->halted);
			if (IS_ON_EXECS && err == -ECHILD) {	/* who stood still has ended, too */
				p->leader_ended = false;
				p->halted = 0;
			}
			continue;
		}
		if (err == -ETIMEDOUT)
			return fail(ETIMEDOUT, "thread %d does not stop: it is frozen, waits for a device, or for a vfork child",
				    tid);
		if (err)
			return fail_for(err, "thread %d: cannot be held", tid);
		if (stop.kind == STOP_GROUP)
			p->stop_signal = stop.signal;
		p->halted++;
	}
	return 0;
}

static void see(struct process *p, const struct proc_stat *st)
{
	snprintf(p->comm, sizeof(p->comm), "%s", st->comm);
	p->leader_ended = st->state == 'Z' || st->state == 'X';
	p->zombie = p->leader_ended && st->threads < 2;
	p->ppid = st->ppid;
	p->pgid = st->pgrp;
	p->sid = st->session;
	p->tty_nr = st->tty_nr;
	p->exit_signal = st->exit_signal;
	p->exit_code = st->exit_code;
}

/* All threads are there when a look that was taken while all known ones stood still finds no other. */
static int collect_threads(struct adding *a)
{
	struct process *p = &a->tree->processes[a->index];
	CONTEXT("pid %d (%s)", p->pid, p->comm);
	struct proc_stat st = { 0 };
	char path[32];
	size_t known;
	int err;

	if (p->zombie || p->complete)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/task", p->pid);
	do {
		err = a->tree->held ? hold_threads(p) : 0;
		if (err)
			return err;
		known = p->threads_n;
		err = known ? 0 : proc_stat(p->pid, 0, &st);
		if (err && err != -ESRCH)
			return fail_for(err, "/proc/%d/stat", p->pid);
		if (!err && !known)
			see(p, &st);
		if (err || p->zombie)
			return 0;
		err = proc_numbers(path, add_thread, a);
		if (err && err != -ESRCH)
			return err;
	} while (p->threads_n > known);
	p->complete = a->tree->held;
	return 0;
}

static int add_child(void *arg, int pid)
{
	struct adding *a = arg;
	struct tree *tree = a->tree;
	struct process p = { .pid = pid, .parent = (int)a->index };
	struct adding child = { .tree = tree, .index = tree->n };
	struct proc_stat st;
	int err;

	if (tree_has(tree, pid))
		return 0;
	err = proc_stat(pid, 0, &st);
	if (err)
		return err == -ESRCH ? 0 : fail_for(err, "/proc/%d/stat", pid);
	if (pid == getpid())
		return fail(EHOLDS, "tinyckpt itself belongs to that tree: run it from outside");
	see(&p, &st);
	err = grow(&tree->processes, tree->n, sizeof(*tree->processes));
	if (err)
		return err;
	tree->processes[tree->n++] = p;
	a->changed = true;
	if (!tree->held || p.zombie)
		return 0;
	/* it stops while others are looked at */
	CONTEXT("pid %d (%s)", pid, p.comm);
	return add_thread(&child, pid);
}

/*
 * Once all threads stand still and were looked at, children can only be added by adoption, and those come to the first
 * thread that lives (kernel/exit.c, find_new_reaper).
 */
static int collect_children(struct adding *a)
{
	struct process *p = &a->tree->processes[a->index];
	const pid_t pid = p->pid;
	const struct thread *threads = p->threads;	/* p may move when a child is added */
	const size_t n = p->looked && p->threads_n ? 1 : p->threads_n;
	int err = p->complete ? 0 : -ENOENT;

	p->looked = p->complete;
	for (size_t i = 0; !err && i < n; i++)
		err = proc_thread_children(pid, threads[i].tid, add_child, a);
	return err == -ENOENT ? proc_children(pid, add_child, a) : err;
}

/* What is held can have changed its group or session up to that moment. */
static int refresh(struct tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		struct process *p = &tree->processes[i];
		struct proc_stat st;
		int err = proc_stat(p->pid, 0, &st);

		if (err && err != -ESRCH)
			return fail_for(err, "/proc/%d/stat", p->pid);
		if (!err)
			see(p, &st);
		p->tid = p->threads_n ? p->threads[0].tid : p->pid;
	}
	return 0;
}

/* Again until a whole round finds nothing new: children of the dying come to whoever adopts them. */
static int collect_all(struct tree *tree)
{
	struct adding a = { .tree = tree };
	int err = 0;

	do {
		a.changed = false;
		for (a.index = 0; !err && a.index < tree->n; a.index++) {
			err = collect_threads(&a);
			if (!err)
				err = collect_children(&a);
			if (err == -ESRCH)
				err = 0;
		}
	} while (!err && tree->held && a.changed);
	return err ? err : refresh(tree);
}

/* Can the thread be led away from where it stands?  And in an image go on from there? */
static bool is_placed(struct process *p, const struct arch_regs *regs, bool patient)
{
	return arch_can_jump_back(regs) && !(IS_ON_VDSO_PROXY && patient && vdso_holds(p, regs));
}

/* Lets threads go on until they are; *moved: some had to. */
static int place_threads(struct process *p, int patience, bool *moved)
{
	for (size_t j = 0; j < p->threads_n; j++) {
		struct thread *t = &p->threads[j];
		struct arch_regs regs;
		struct stop stop;
		int err = thread_regs(t->tid, &regs);

		/* one whose process is stopped would go on against the will of who stopped it, and stands in a system call anyhow */
		for (int tries = 0; !err && !p->stop_signal && !is_placed(p, &regs, tries < patience); tries++) {
			*moved = true;
			p->complete = p->looked = false;
			p->vdso = p->linker = p->stand_in.n = 0;	/* it may become another program */
			err = thread_continue(t->tid, 0);
			/* most are elsewhere at the next look; a dynamic linker takes its time */
			if (tries % 8 == 7 && tries < patience)
				poll(NULL, 0, 1 << tries / 8);
			restart_note(p->pid, t->tid, &t->restart);
			if (!err)
				err = thread_interrupt(t->tid);
			if (!err)
				err = hold_thread(p, t->tid, &stop);
			if (!err && stop.kind == STOP_GROUP)
				p->stop_signal = stop.signal;
			if (!err)
				err = thread_regs(t->tid, &regs);
		}
		if (err == -ESRCH || err == -ECHILD) {	/* it ended, or has another number */
			drop_thread(p, j--);
			p->halted--;
			continue;
		}
		if (err)
			return fail_for(err, "thread %d: cannot be held", t->tid);
	}
	return 0;
}

/* Whoever was let go may have made others, which may have to be let go. */
static int place_all(struct tree *tree)
{
	int patience = PLACE_TRIES, err = 0;
	bool moved;

	do {
		moved = false;
		for (size_t i = 0; !err && i < tree->n; i++) {
			CONTEXT("pid %d (%s)", tree->processes[i].pid, tree->processes[i].comm);

			err = place_threads(&tree->processes[i], patience, &moved);
		}
		patience /= 2;
		if (!err && moved)
			err = collect_all(tree);
	} while (!err && moved);
	return err;
}

static int collect(struct tree *tree, pid_t root, bool hold)
{
	struct adding a = { .tree = tree };
	int err;

	*tree = (struct tree){ .held = hold };
	if (hold)
		wait_deadline(HOLD_MS);
	err = add_child(&a, root);
	if (!err && !tree->n)
		err = fail(ESRCH, "pid %d: there is no such process", root);
	if (!err) {
		tree->processes[0].parent = -1;
		err = collect_all(tree);
	}
	if (!err && hold)
		err = place_all(tree);
	if (err)
		tree_release(tree);
	if (hold)
		wait_deadline(0);
	return err;
}

/*
 * Whoever was about to end, or to become another program, while it was looked for may have been missed.  For a moment the latter
 * looks as if it had ended: only the dead stay so.
 */
static bool is_held(const struct process *p)
{
	struct proc_stat st;

	if (p->zombie)
		return proc_stat(p->pid, 0, &st) || (st.state == 'Z' && st.threads < 2);
	return p->threads_n && p->leader_ended == (p->threads[0].tid != p->pid);
}

/* Not home yet from a save that was killed, or not held; 0: nobody. */
static pid_t who_is_away(const struct tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		const struct process *p = &tree->processes[i];
		struct arch_regs regs;
		uintptr_t home = 0;	/* most threads stand where the one before does, in the same call */

		if (!is_held(p))
			return p->pid;
		for (size_t j = 0; j < p->threads_n; j++) {
			if (thread_regs(p->threads[j].tid, &regs) || arch_pc(&regs) == home)
				continue;
			if (visit_is_away(p->tid, &regs))
				return p->threads[j].tid;
			home = arch_pc(&regs);
		}
	}
	return 0;
}

static int find_restarts(struct tree *tree)
{
	int err = 0;

	wait_deadline(HOLD_MS);
	for (size_t i = 0; i < tree->n; i++) {
		struct process *p = &tree->processes[i];

		for (size_t j = 0; !err && j < p->threads_n; j++) {
			err = restart_find(p->tid, p->threads[j].tid, &p->threads[j].restart);
			if (err)
				err = fail_for(err, "thread %d: what it is about to do cannot be told", p->threads[j].tid);
		}
	}
	wait_deadline(0);
	if (err)
		tree_release(tree);
	return err;
}

int tree_collect(struct tree *tree, pid_t root, bool hold)
{
	const struct timespec pause = { 0, 5000000 };
	pid_t away;
	int err;

	for (int tries = 0; tries < AWAY_TRIES; tries++) {
		err = collect(tree, root, hold);
		if (err || !hold)
			return err;
		away = who_is_away(tree);
		if (!away && tree->processes[0].zombie)
			return fail(ESRCH, "process %d ended just now", root);
		if (!away)
			return ARCH_HIDES_RESTART ? find_restarts(tree) : 0;
		tree_release(tree);
		tree_free(tree);
		nanosleep(&pause, NULL);
	}
	return fail(EBUSY, "thread %d changes too fast, or is not yet home from a killed save: try again", away);
}

void tree_release(struct tree *tree)
{
	if (!tree->held)
		return;
	for (size_t i = 0; i < tree->n; i++) {
		const struct process *p = &tree->processes[i];

		for (size_t j = 0; j < p->threads_n; j++) {
			struct stop stop;

			/* Not yet known to stand still, it may stand before a signal, which would be lost. */
			if (j < p->halted || !thread_halted(p->threads[j].tid, &stop))
				way_let_go(p->pid, &p->threads[j]);
		}
	}
	tree->held = false;
}

static void reap(const struct process *p)
{
	int err = 0;

	wait_deadline(END_MS);
	for (size_t j = p->threads_n; !err && j-- > 0;)
		err = thread_reap(p->threads[j].tid);
	if (!err && p->leader_ended)	/* while it was being held */
		(void)thread_reap(p->pid);
}

void tree_doom(struct tree *tree)
{
	/* should the tool die, the kernel goes on with it */
	for (size_t i = 0; i < tree->n; i++)
		for (size_t j = 0; j < tree->processes[i].threads_n; j++)
			thread_doom(tree->processes[i].threads[j].tid);
	kill(tree->processes[tree->n - 1].pid, SIGKILL);
}

void tree_kill(struct tree *tree)
{
	const struct process *ending = NULL;

	/*
	 * In pairs: one frees its memory while the one before it is reaped; all at once they would be in each other's way in the
	 * kernel.  Children first, so that no parent outside is woken for each.  A tracer has to take note of each death before
	 * the parent can, whom restore waits for when it needs the numbers.  What may not be killed ends with its tracer.
	 */
	for (size_t i = tree->n; i-- > 0;) {
		const bool ends = !kill(tree->processes[i].pid, SIGKILL);

		if (ending)
			reap(ending);
		ending = ends ? &tree->processes[i] : NULL;
	}
	if (ending)
		reap(ending);
	wait_deadline(0);
	tree->held = false;
}

void tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->n; i++)
		free(tree->processes[i].threads);
	free(tree->processes);
	*tree = (struct tree){ 0 };
}
