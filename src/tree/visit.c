/* SPDX-License-Identifier: MIT */
#include "tree/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "blobs.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/task_memory.h"
#include "tree/dead_bytes.h"
#include "tree/frame.h"
#include "tree/way_home.h"

/* Offsets in the area. */
enum {
	AREA_STACK = 0x800,	/* tops of the stacks, 1 KiB each; signals are blocked, so that this is plenty */
	AREA_THREAD_STACK = 0xc00,
	AREA_PROGRAM = 0xc00,
	AREA_THREAD_PROGRAM = 0x8000,
	THREAD_PROGRAM_MAX = 0x1000,
	/* word: not 0 while no other thread is in here; the leader unmaps the area only then; last in a thread's program: 0 */
	AREA_OUTSIDE = AREA_THREAD_PROGRAM + THREAD_PROGRAM_MAX - 16,
	AREA_LEAVE = 0x9000,	/* ARCH_LEAVE_MAX bytes each */
	STACK_BYTES = 0x400,
};

enum { NOT_YET = 1, TRIES_MAX = 100000 };

static int set_outside(const struct visit *v, long outside)
{
	return task_write(v->pid, v->area + AREA_OUTSIDE, &outside, sizeof(outside));
}

/* What is blocked is not delivered; what is delivered all the same comes from what the thread just did. */
static bool is_fault(const struct stop *stop)
{
	return stop->kind == STOP_EXITED || (stop->kind == STOP_SIGNAL && stop->signal != SIGSTOP);
}

static int wait_syscall_stop(pid_t tid)
{
	for (;;) {
		struct stop stop;
		int err = thread_wait(tid, &stop);

		if (err)
			return err;
		if (stop.kind == STOP_EXITED)
			return -ESRCH;
		if (stop.kind == STOP_SYSCALL)
			return 0;
		if (is_fault(&stop))
			return -EFAULT;
		/* SIGSTOP cannot be blocked: the process stops by it, as it should, and is still led by us */
		err = thread_to_syscall(tid, stop.kind == STOP_SIGNAL ? stop.signal : 0);
		if (err)
			return err;
	}
}

/* How much of the area the leader would take away by itself: a frame of another thread in it has to stay. */
static size_t own_part(const struct process *p)
{
	for (size_t i = 1; ARCH_REGSET_LOST && i < p->threads_n; i++)
		if (frame_is_needed(p, &p->threads[i]))
			return VISIT_FRAME;
	return VISIT_AREA;
}

int visit_begin(struct visit *v, const struct process *p, uint64_t free_area, void *buffer)
{
	const long mmap_args[6] = {
		(long)free_area, VISIT_AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0,
	};
	struct arch_regs regs;
	char path[32];
	int err;

	*v = (struct visit){ .pid = p->tid, .p = p, .buffer = buffer };
	snprintf(path, sizeof(path), "/proc/%d/mem", p->tid);
	v->mem = proc_open(path, O_WRONLY);
	if (v->mem < 0)
		return fail_errno("%s", path);
	err = dead_bytes(p, &v->dead);
	if (err)
		return err;
	if (task_read(v->pid, v->dead_was, v->dead, sizeof(v->dead_was)))
		return fail(EFAULT, "its dead bytes cannot be read");
	v->leader = (struct visitor){ .tid = p->threads[0].tid,
				      .home = { .unmap = free_area, .unmap_len = own_part(p) } };

	v->place = VISIT_INSIDE;
	err = way_lay(v, &v->leader, &p->threads[0].restart);
	if (err)
		return err;
	regs = v->leader.home.regs;
	arch_set_syscall(&regs, v->leader.stub, ARCH_NR_mmap, mmap_args);
	err = thread_set_regs(v->leader.tid, &regs);
	if (!err)
		err = thread_to_syscall(v->leader.tid, 0);
	if (err)
		return fail_for(err, "cannot be entered");
	v->runs = true;
	v->place = VISIT_BEFORE_MMAP;
	return 0;
}

/* Behind mmap: the interpreter into the area. */
static int furnish(struct visit *v)
{
	const uint64_t wanted = v->leader.home.unmap;
	struct arch_regs regs;
	long ret;
	int err = thread_regs(v->leader.tid, &regs);

	if (err)
		return fail_for(err, "cannot be entered");
	ret = arch_syscall_result(&regs);
	if (ret == -EEXIST)	/* it was free in every process */
		return fail(EHOLDS, "it shares its memory with another process: not supported");
	if (ret == -ENOMEM || ret == -EAGAIN)
		return fail(EHOLDS, "no room for %d KiB in it (RLIMIT_AS, _DATA, _MEMLOCK, or how many mappings)",
			    VISIT_AREA / 1024);
	if (ret == -EACCES)
		return fail(EHOLDS, "it may have no memory to write to and execute (PR_SET_MDWE, or a security module)");
	if (ret != (long)wanted)
		return fail_for((int)ret, "mapping %d bytes at %#lx in it", VISIT_AREA, (long)wanted);
	v->area = wanted;
	v->place = VISIT_INSIDE;

	/* code: /proc/PID/mem sees to it that the processor does not go on with what it has read there before */
	err = task_write_mem(v->mem, v->leader.tid, v->area, interpreter_blob, (size_t)(interpreter_blob_end - interpreter_blob));
	if (!err)
		err = set_outside(v, 1);
	return err ? fail_for(err, "cannot write to the area") : 0;
}

int visit_enter(struct visit *v)
{
	int err = wait_syscall_stop(v->leader.tid);

	v->runs = err != 0;
	if (!err && v->place == VISIT_BEHIND_MMAP)
		return furnish(v);
	if (!err)
		err = thread_to_syscall(v->leader.tid, 0);
	if (err)
		return fail_for(err, "cannot be entered");
	v->runs = true;
	v->place = VISIT_BEHIND_MMAP;
	return 0;
}

struct area_search {
	uint64_t area;
	uint32_t flags;
};

static int see_area(void *arg, struct vma *v)
{
	struct area_search *search = arg;

	/* it may have been merged with what lies beside it, which is then locked alike */
	if (v->start > search->area || v->end <= search->area)
		return 0;
	search->flags = v->locked ? MCL_FUTURE | (v->onfault ? MCL_ONFAULT : 0) : 0;
	return 1;
}

/* Does code of a way home lie there, in one of the two places at the end of a page? */
static bool is_way_home(pid_t pid, uintptr_t pc)
{
	char magic[sizeof(ARCH_HOME_MAGIC) - 1];
	const uintptr_t end = (pc | 0xfff) + 1, first = end - DEAD_BYTES, second = end - ARCH_HOME_MAX;

	return pc >= first && !task_read(pid, magic, (pc < second ? first : second) + ARCH_HOME_MAGIC_AT, sizeof(magic)) &&
	       !memcmp(magic, ARCH_HOME_MAGIC, sizeof(magic));
}

bool visit_is_away(pid_t pid, const struct arch_regs *regs)
{
	const uintptr_t pc = arch_pc(regs);
	uint8_t blob[64], near[2 * ARCH_NEAR_MAX + 1];

	if (is_way_home(pid, pc))
		return true;
	if (ARCH_NEAR_MAX > 0 && !task_read(pid, near, pc - ARCH_NEAR_MAX, 2 * ARCH_NEAR_MAX) && arch_is_near(near))
		return true;
	/* in the area: its first page has the interpreter, another one the rest */
	for (size_t page = 0; page <= AREA_LEAVE; page += AREA_LEAVE)
		if (!task_read(pid, blob, (pc & ~(uintptr_t)0xfff) - page, sizeof(blob)) && !memcmp(blob, interpreter_blob, sizeof(blob)))
			return true;
	return false;
}

int visit_mlockall(const struct visit *v, uint32_t *flags)
{
	struct area_search search = { .area = v->area };
	int err = proc_vmas(v->pid, true, see_area, &search);

	*flags = search.flags;
	return err < 0 ? fail_for(err, "its mappings") : 0;
}

static bool is_leader(const struct visit *v, pid_t tid)
{
	return tid == v->leader.tid;
}

void visit_program(struct visit *v, pid_t tid, struct program *p)
{
	const long inside = 0;

	if (is_leader(v, tid)) {
		program_init(p, v->buffer, VISIT_PROGRAM_MAX, v->area + AREA_PROGRAM);
	} else {
		program_init(p, v->buffer, THREAD_PROGRAM_MAX, v->area + AREA_THREAD_PROGRAM);
		program_data(p, &inside, sizeof(inside));	/* AREA_OUTSIDE */
	}
}

/*
 * The end of every program: stay, until the tracer comes or is gone.  rt_sigtimedwait sleeps without touching the
 * restart block or its arguments, as nanosleep, poll and pselect would.  Returns the operation that shows the arrival.
 */
static int add_stay(struct program *p, const struct visit *v, const struct visitor *who)
{
	const uint64_t none = 0;
	const struct kernel_timespec tenth = { 0, 100000000 }, moment = { 0, 1000000 };	/* of a second; a millisecond */
	long set = program_data(p, &none, sizeof(none));
	long slow = program_data(p, &tenth, sizeof(tenth)), quick = program_data(p, &moment, sizeof(moment));
	int arrival = (int)p->ops, gone = arrival + 4;
	const bool leads = who == &v->leader;

	program_call(p, 0, SYS_kill, getpid(), 0);
	program_call(p, OP_INDIRECT << 0, OP_JUMP_IF_EQUAL,
		     program_at(p, arrival) + (long)offsetof(struct op, ret), -ESRCH, program_at(p, arrival + 4));
	program_call(p, 0, SYS_rt_sigtimedwait_time64, set, 0, slow, 8);
	program_call(p, 0, OP_JUMP, program_at(p, arrival));

	/* gone: the leader takes back what it was told to, and lets the other thread leave first */
	for (size_t i = 0; leads && i < sizeof(v->undo) / sizeof(*v->undo) && v->undo[i].nr; i++, gone++)
		program_op(p, v->undo[i].flags, v->undo[i].nr, v->undo[i].arg);
	if (leads) {
		program_call(p, OP_INDIRECT << 0, OP_JUMP_IF_EQUAL, (long)(v->area + AREA_OUTSIDE), 0, program_at(p, gone + 2));
		program_call(p, 0, OP_LEAVE, (long)who->leave);
		program_call(p, 0, SYS_rt_sigtimedwait_time64, set, 0, quick, 8);
		program_call(p, 0, OP_JUMP, program_at(p, gone));
	} else {
		program_call(p, 0, OP_LEAVE, (long)who->leave);
	}
	if (!p->full)
		program_ops(p)[arrival].ret = NOT_YET;
	return arrival;
}

static int wait_arrival(const struct program *p, const struct visit *v, pid_t tid, int arrival)
{
	uint64_t at = (unsigned long)program_at(p, arrival) + offsetof(struct op, ret);
	struct timespec pause = { 0, 50000 };
	long ret = NOT_YET;

	for (unsigned int tries = 0;; tries++) {
		struct stop stop;
		int err = task_read(v->pid, &ret, at, sizeof(ret));

		if (err || ret != NOT_YET)
			return err;
		err = thread_poll(tid, &stop);
		if (!err)	/* a stop that nobody asked for: a fault, or a stopping signal */
			err = is_fault(&stop) ? -EFAULT : thread_continue(tid, stop.kind == STOP_SIGNAL ? SIGSTOP : 0);
		if (err && err != -EAGAIN)
			return err;
		if (tries < 200)
			sched_yield();
		else if (tries < TRIES_MAX)
			nanosleep(&pause, NULL);
		else
			return -ETIMEDOUT;
	}
}

static int fail_to_ask(int err, pid_t tid)
{
	return fail_for(err, "thread %d: could not be asked", tid);
}

/* Where the interpreter is to jump to for it to walk home. */
static int write_leave(struct visit *v, struct visitor *who)
{
	const uintptr_t walk = who->stub + who->way.walk;
	uint8_t code[ARCH_LEAVE_MAX + 1];
	size_t len = arch_leave(code, &who->home, walk);

	who->leave = len ? v->area + AREA_LEAVE + (who == &v->leader ? 0 : ARCH_LEAVE_MAX) : walk;
	return len ? task_write_mem(v->mem, who->tid, who->leave, code, len) : 0;
}

/* Lets one visitor, standing at home or already inside, work off the program. */
static int start(struct visit *v, struct visitor *who, uint64_t stack, struct program *p)
{
	struct arch_regs regs = who->home.regs;
	int err = write_leave(v, who);

	who->arrival = add_stay(p, v, who);
	if (p->full)
		return fail(E2BIG, "a program for it does not fit the area");
	if (!err)
		err = program_send(p, v->pid);
	arch_set_entry(&regs, v->area, stack, p->base);
	if (!err)
		err = thread_set_regs(who->tid, &regs);
	if (!err)
		err = thread_continue(who->tid, 0);
	return err ? fail_to_ask(err, who->tid) : 0;
}

/* It has worked it off, stays inside, and is to stop. */
static int halt(struct visit *v, struct visitor *who, const struct program *p)
{
	int err = wait_arrival(p, v, who->tid, who->arrival);

	if (!err)
		err = thread_interrupt(who->tid);
	return err ? fail_to_ask(err, who->tid) : 0;
}

/* It has stopped; what it found is in the program. */
static int finish(struct visit *v, struct visitor *who, struct program *p)
{
	struct stop stop;
	int err = thread_halted(who->tid, &stop);

	v->stopped = !err && stop.kind == STOP_GROUP;
	if (!err)
		err = program_fetch(p, v->pid);
	return err ? fail_to_ask(err, who->tid) : 0;
}

int visit_start(struct visit *v, struct program *p)
{
	int err = start(v, &v->leader, v->area + AREA_STACK, p);

	v->runs = !err;
	return err;
}

int visit_halt(struct visit *v, const struct program *p)
{
	return halt(v, &v->leader, p);
}

int visit_finish(struct visit *v, struct program *p)
{
	int err = finish(v, &v->leader, p);

	v->runs = err != 0;
	return err;
}

int visit_run(struct visit *v, struct program *p)
{
	int err = visit_start(v, p);

	if (!err)
		err = visit_halt(v, p);
	return err ? err : visit_finish(v, p);
}

static int fail_to_lead_home(int err, pid_t tid)
{
	return fail_for(err, "thread %d: it has to walk home by itself", tid);
}

int visit_thread_begin(struct visit *v, const struct thread *thread)
{
	int err;

	free(v->thread.lost);
	v->thread = (struct visitor){ .tid = thread->tid };
	err = way_lay(v, &v->thread, &thread->restart);
	if (!err)	/* from now on the leader would wait for it to leave first */
		err = way_tell(v, &v->thread, v->area + AREA_OUTSIDE);
	return err;
}

int visit_thread_start(struct visit *v, struct program *p)
{
	return start(v, &v->thread, v->area + AREA_THREAD_STACK, p);
}

/* To the exit of a call that changes nothing, with an interrupt waiting for it. */
static int to_exit(const struct visitor *who)
{
	struct arch_regs regs = who->home.regs;
	int err;

	arch_set_syscall(&regs, who->stub, SYS_getpid, (const long[6]){ 0 });
	err = thread_set_regs(who->tid, &regs);
	for (int stops = 2; !err && stops--;) {
		err = thread_to_syscall(who->tid, 0);
		if (!err)
			err = wait_syscall_stop(who->tid);
	}
	return err ? err : thread_interrupt(who->tid);
}

/* The last steps.  With a frame the thread takes them itself: through the call that closes its mask, and rt_sigreturn(2). */
static int go_home(struct visit *v, struct visitor *who, uint64_t outside)
{
	int err;

	if (!ARCH_REGSET_LOST || !who->lost)
		return way_go_home(v, who, outside);
	err = way_stand_at(who, who->way.unmask);
	for (int stops = 4; !err && stops--;) {
		err = thread_to_syscall(who->tid, 0);
		if (!err)
			err = wait_syscall_stop(who->tid);
	}
	who->away = err != 0;
	return err;
}

int visit_thread_halt(struct visit *v, const struct program *p)
{
	return halt(v, &v->thread, p);
}

int visit_thread_end(struct visit *v, struct program *p)
{
	struct visitor *who = &v->thread;
	int err = finish(v, who, p);

	if (err)
		return err;

	/* It stands where signals are delivered: the kernel itself restarts what it was in. */
	if (ARCH_GOES_ON_AT_EXIT && who->home.call.error == ARCH_ERESTART_RESTARTBLOCK)
		err = to_exit(who);
	if (!err)
		err = go_home(v, who, v->area + AREA_OUTSIDE);
	if (!err)
		way_take_away(v, who);
	return err ? fail_to_lead_home(err, who->tid) : 0;
}

/*
 * This is no stop for a signal: the interrupt makes the kernel look for signals on its way out, and there it restarts the
 * call that the registers tell of.
 */
static int settle_at_home(struct visit *v)
{
	struct visitor *who = &v->leader;
	const bool returns = ARCH_REGSET_LOST && who->lost;	/* by rt_sigreturn(2), which knows what is to be */
	struct stop stop;
	int err = returns ? 0 : thread_interrupt(who->tid);

	/* behind a call, a register that holds one of its own errors by chance would be taken for that call's result */
	if (!err && ARCH_TAKES_RESULT && !returns && !who->home.call.error && arch_restart_error(&who->home.regs)) {
		err = thread_continue(who->tid, 0);
		if (!err)
			err = thread_halted(who->tid, &stop);
	}
	if (!err)
		err = go_home(v, who, 0);
	if (!err) {
		(void)task_write_mem(v->mem, who->tid, v->dead, v->dead_was, sizeof(v->dead_was));
		way_take_away(v, who);
	}
	who->away = false;
	v->place = VISIT_AT_HOME;
	return err;
}

/* Before munmap(2).  What it would leave by itself goes, too, now that all others are home. */
static int stand_at_munmap(const struct visit *v)
{
	const struct visitor *who = &v->leader;
	const long all[6] = { (long)who->home.unmap, VISIT_AREA };
	struct arch_regs regs = who->home.regs;

	if (who->home.unmap_len == VISIT_AREA)
		return way_stand_at(who, who->way.walk);
	arch_set_syscall(&regs, who->stub, SYS_munmap, all);
	return thread_set_regs(who->tid, &regs);
}

/* The leader's next step on its way home, but for its end. */
static int walk_on(struct visit *v)
{
	struct visitor *who = &v->leader;
	int err;

	err = v->place == VISIT_INSIDE ? stand_at_munmap(v) : wait_syscall_stop(who->tid);
	v->runs = false;
	if (!err && (!v->area || v->place == VISIT_BEHIND_MUNMAP))
		return settle_at_home(v);
	if (!err)
		err = thread_to_syscall(who->tid, 0);
	v->runs = true;
	v->place = v->place == VISIT_INSIDE ? VISIT_BEFORE_MUNMAP : VISIT_BEHIND_MUNMAP;
	return err;
}

int visit_leave(struct visit *v)
{
	int err = walk_on(v);

	return err ? fail_to_lead_home(err, v->leader.tid) : 0;
}

/* Something failed in there: whoever was led away walks home when it is let go, the leader last. */
static int give_up(struct visit *v)
{
	struct stop stop;
	int err = 0;

	if (v->thread.away) {
		v->leader.away = false;
		return way_stand_at(&v->thread, v->thread.way.walk);
	}
	if (v->runs) {
		v->area = v->leader.home.unmap;	/* it may be there, and to unmap it is right if not */
		err = thread_halt(v->leader.tid, &stop);
	}
	v->place = VISIT_INSIDE;
	return err;
}

int visit_end(struct visit *v)
{
	int err = 0;

	if (v->leader.away && v->place != VISIT_BEHIND_MUNMAP)
		err = give_up(v);
	while (!err && v->leader.away)
		err = walk_on(v);
	if (v->pid && v->mem >= 0)
		close(v->mem);
	v->pid = 0;
	free(v->leader.lost);
	free(v->thread.lost);
	v->leader.lost = v->thread.lost = NULL;
	return err ? fail_to_lead_home(err, v->leader.tid) : 0;
}
