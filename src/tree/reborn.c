/* SPDX-License-Identifier: MIT */
#include "tree/reborn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "blobs.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/lacking.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"

struct place_search {
	uint64_t at, end;
};

/* Moves the candidate behind every mapping of ours that it would touch. */
static int avoid(void *arg, struct vma *v)
{
	struct place_search *s = arg;

	if (v->start < s->at + REBORN_ROOM && v->end > s->at)
		s->at = (v->end + 0xffff) & ~0xffffULL;
	return 0;
}

int reborn_area(struct restore *r)
{
	struct place_search s = { 0, r->tree.gap_end };
	void *got;
	int err;

	if (r->tree.gap_end <= r->tree.gap_start || r->tree.gap_end > ARCH_TASK_SIZE)
		return fail(EIMAGE, "the free addresses are absurd");
	/* away from the ends: a stack or a heap may want to grow there */
	s.at = (r->tree.gap_start + (r->tree.gap_end - r->tree.gap_start) / 2) & ~0xffffULL;
	err = proc_vmas(getpid(), false, avoid, &s);
	if (err)
		return fail_for(err, "tinyckpt's own mappings");
	if (s.at + REBORN_ROOM > s.end)
		return fail(ENOMEM, "no addresses are free in both tree and tinyckpt: try again (they are random)");
	r->area = s.at;
	got = mmap((void *)(uintptr_t)r->area, REBORN_AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (got != (void *)(uintptr_t)r->area)
		return fail_errno("an area at %#llx", (unsigned long long)r->area);
	memcpy(got, interpreter_blob, (size_t)(interpreter_blob_end - interpreter_blob));
	__builtin___clear_cache(got, (char *)got + REBORN_AREA);
	return 0;
}

void reborn_program(struct restore *r, struct program *p)
{
	const uint64_t at = r->area + REBORN_PROGRAM;

	program_init(p, (void *)(uintptr_t)at, REBORN_PROGRAM_MAX, at);
}

/* SIGSTOP cannot be blocked: by one that somebody sends the process is stopped when it is let go, and is led by us until then. */
static bool is_sigstop(const struct stop *stop)
{
	return stop->kind == STOP_SIGNAL && stop->signal == SIGSTOP;
}

/*
 * Runs to the next trap; a group stop in between (the process is to be stopped) is passed over.  So is what a fault had left
 * pending: when a trap comes, the kernel takes the first such signal in the queue for it, be it blocked
 * (dequeue_synchronous_signal() of kernel/signal.c), and given back, it is queued again, behind the trap.
 */
static int run_to_trap(const struct restore *r, pid_t tid)
{
	int again = 0;

	for (;;) {
		struct stop stop;
		uint64_t blocked;
		int err = thread_continue(tid, again);

		again = 0;
		if (!err)
			err = thread_wait(tid, &stop);
		if (err)
			return err;
		if (stop.kind == STOP_EXITED)
			return -ESRCH;
		if (stop.kind == STOP_SIGNAL && stop.signal == SIGTRAP)
			return 0;
		if (is_sigstop(&stop) || (stop.kind == STOP_SIGNAL && stop.signal == r->stop_signal))
			again = r->stop_signal;
		else if (stop.kind == STOP_SIGNAL && !thread_sigmask(tid, &blocked) && blocked >> (stop.signal - 1) & 1)
			again = stop.signal;
		else if (stop.kind == STOP_SIGNAL)	/* of a fault of its own it would be open */
			return fail(EFAULT, "task %d: signal %d while it was made", tid, stop.signal);
	}
}

/* Has the task stand before the program. */
static int enter(struct restore *r, pid_t tid, const struct program *p)
{
	struct arch_regs regs;
	int err = 0;

	if (!r->entry_known) {
		err = thread_regs(tid, &r->entry);
		r->entry_known = !err;
	}
	if (err)
		return err;
	regs = r->entry;
	arch_set_entry(&regs, r->area, r->area + REBORN_STACK, p->base);
	return thread_set_regs(tid, &regs);
}

static int fail_op(const struct op *op, pid_t tid, const char *what)
{
	const char *call = IS_ON_BARE_KERNELS && op->ret == -ENOSYS ? lacking(op->nr) : NULL;

	return call ? fail(EIMAGE, "task %d: %s: this kernel has no %s", tid, what, call)
		    : fail_for((int)op->ret, "task %d: %s: system call %ld(%#lx, %#lx, %#lx, %#lx)", tid, what, op->nr, op->arg[0],
			       op->arg[1], op->arg[2], op->arg[3]);
}

int reborn_run(struct restore *r, pid_t tid, struct program *p, const char *what)
{
	int err;

	if (!p->ops)
		return 0;
	if (program_call(p, 0, OP_TRAP, 0) < 0 || p->full)
		return fail(E2BIG, "%s: a program that does not fit", what);
	err = enter(r, tid, p);
	if (!err)
		err = run_to_trap(r, tid);
	if (err)
		return fail_for(err, "task %d: %s: it could not be run", tid, what);
	for (size_t i = 0; i < p->ops; i++) {
		const struct op *op = &program_ops(p)[i];

		if (op->flags & OP_MUST && op->ret < 0 && op->ret > -4096)
			return fail_op(op, tid, what);
	}
	return 0;
}

int reborn_room(struct restore *r, pid_t tid, struct program *p, size_t ops, size_t data, const char *what)
{
	int err;

	if (program_fits(p, ops + 1, data))
		return 0;
	err = reborn_run(r, tid, p, what);
	reborn_program(r, p);
	return err;
}

struct closing {
	struct restore *r;
	pid_t tid;
	struct program *p;
	int first, last;
};

static int close_one(void *arg, int fd)
{
	struct closing *c = arg;
	int err = 0;

	if (fd < c->first || fd > c->last)
		return 0;
	err = reborn_room(c->r, c->tid, c->p, 1, 0, "closing descriptors");
	program_call(c->p, 0, SYS_close, fd);
	return err;
}

int reborn_close(struct restore *r, pid_t tid, struct program *p, int first, int last)
{
	struct closing c = { r, tid, p, first, last };
	char path[32];

	if (!IS_ON_OLD_KERNELS || !syscall(SYS_close_range, ~0U, ~0U, 0) || errno != ENOSYS) {
		program_call(p, OP_MUST, SYS_close_range, first, last, 0);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd", tid);
	return proc_numbers(path, close_one, &c);
}

int reborn_note(struct restore *r, pid_t tid)
{
	struct stop stop;
	int err = thread_wait(tid, &stop);

	if (!err && stop.kind != STOP_INTERRUPT && stop.kind != STOP_GROUP)
		err = -ESRCH;
	if (err)
		return fail_for(err, "task %d: it did not come to life", tid);
	return buffer_append(&r->threads, &tid, sizeof(tid)) ? fail(ENOMEM, "out of memory") : 0;
}

int reborn_to_syscall(pid_t tid)
{
	struct stop stop = { 0 };

	for (;;) {
		int err = thread_to_syscall(tid, is_sigstop(&stop) ? SIGSTOP : 0);

		if (!err)
			err = thread_wait(tid, &stop);
		if (err || stop.kind == STOP_SYSCALL)
			return err;
		if (stop.kind == STOP_EXITED || (stop.kind == STOP_SIGNAL && !is_sigstop(&stop)))
			return -ESRCH;
	}
}

void reborn_send(struct program *p, pid_t pid, pid_t tid, const siginfo_t *info)
{
	const long args[7] = { pid, tid ? tid : pid, info->si_signo, program_data(p, info, sizeof(*info)) };

	/* only to itself may a task send what it likes */
	program_op(p, OP_MUST, tid ? SYS_rt_tgsigqueueinfo : SYS_rt_sigqueueinfo, args + !tid);
}

int reborn_leave(struct restore *r, pid_t tid, bool last)
{
	struct program p;
	struct stop stop;
	int err;

	reborn_program(r, &p);
	if (last && r->sigtrap.handler)	/* ignored: a trap would have set it back to the default */
		program_call(&p, 0, SYS_rt_sigaction, SIGTRAP, program_data(&p, &r->sigtrap, sizeof(r->sigtrap)), 0, 8);
	for (int shared = 0; shared <= (last ? 1 : 0); shared++)
		if (r->traps[shared].si_signo) {
			reborn_send(&p, r->pid, shared ? 0 : tid, &r->traps[shared]);
			r->traps[shared].si_signo = 0;
		}
	if (last)
		program_call(&p, 0, SYS_munmap, (long)r->area, REBORN_AREA);
	if (!p.ops)
		return 0;
	err = thread_set_sigmask(tid, ~0ULL) ?: enter(r, tid, &p);
	/* behind munmap there is nothing to return to: it stays in the stop until it gets its final registers */
	for (size_t stops = 2 * p.ops; !err && stops--;)	/* before and behind each call */
		err = reborn_to_syscall(tid);
	if (!err && (ARCH_CALL_STOPS_HIDE || ARCH_TAKES_RESULT))	/* to a stop of another kind */
		err = thread_halt(tid, &stop);
	return err ? fail_for(err, "task %d: the area stays", tid) : 0;
}

int reborn_exit(struct restore *r, pid_t tid, long nr, int status)
{
	struct program p;
	struct stop stop = { 0 };
	int err;

	reborn_program(r, &p);
	program_call(&p, 0, nr, status);
	err = enter(r, tid, &p);
	/* the death of a leader that others outlive is told by this event alone */
	if (!err)
		err = thread_tell_exit(tid);
	while (!err && stop.kind != STOP_EVENT && !(err = thread_continue(tid, 0)))
		err = thread_wait(tid, &stop);
	if (!err)
		err = thread_continue(tid, 0);
	return err ? fail_for(err, "task %d: ending it again", tid) : 0;
}
