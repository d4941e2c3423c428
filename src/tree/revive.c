/* SPDX-License-Identifier: MIT */
#include "tree/revive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/lacking.h"
#include "kernel/mm_fields.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "tree/birth.h"
#include "tree/clocks.h"
#include "tree/credentials.h"
#include "tree/lists.h"
#include "tree/locks.h"
#include "tree/made_again.h"
#include "tree/posix_timers.h"
#include "tree/reborn.h"
#include "tree/records.h"
#include "tree/settings.h"
#include "tree/settle.h"
#include "tree/signal_frames.h"
#include "tree/vdso.h"

#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE 41
#endif

static void add_membarrier(struct program *p, uint32_t registered)
{
	for (int bit = 0; bit < 32; bit++)
		if (registered >> bit & 1)
			program_call(p, OP_MUST, SYS_membarrier, 1L << bit, 0);
}

/* Without them the kernel takes no such state from a tracer. */
static void add_permissions(struct program *p, uint64_t permissions)
{
	for (int bit = 0; ARCH_NR_permission >= 0 && bit < 64; bit++)
		if (permissions >> bit & 1)
			program_call(p, OP_MUST, ARCH_NR_permission, ARCH_ASK_PERMISSION, bit);
}

/* A file of /proc/PID whose value is set only where it is another: some may be raised and not lowered. */
static int set_proc(pid_t pid, const char *name, long now, long wanted)
{
	char path[64], text[32];
	CLEANUP_CLOSE int fd = -1;
	int err, len;

	if (now == wanted)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	len = snprintf(text, sizeof(text), "%ld", wanted);
	fd = proc_open(path, O_WRONLY);
	err = fd < 0 ? -errno : write_all(fd, text, (size_t)len);
	if (err == -EACCES || err == -EPERM)
		return fail(err, "%s: %ld where %ld is wanted takes CAP_SYS_RESOURCE, which tinyckpt lacks", path, now, wanted);
	return err ? fail_for(err, "%s", path) : 0;
}

static int set_outside(struct restore *r)
{
	char text[64];
	int err = 0;

	if (proc_readf(text, sizeof(text), "/proc/%d/oom_score_adj", r->pid) > 0)
		err = set_proc(r->pid, "oom_score_adj", atoi(text), r->state.oom_score_adj);
	if (!err && r->state.coredump_filter && proc_readf(text, sizeof(text), "/proc/%d/coredump_filter", r->pid) > 0)
		err = set_proc(r->pid, "coredump_filter", strtol(text, NULL, 16), (long)r->state.coredump_filter - 1);
	return err;
}

/* PR_SET_MM_MAP takes only a program that may be executed, and does not say which of its many fields it minds. */
static int check_program(pid_t pid, int fd)
{
	char link[32], path[PATH_MAX];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (!access(link, X_OK))
		return 0;
	path_of(fd, path, sizeof(path));
	return fail(EIMAGE, "process %d: its program %s may not be executed (by its mode, or its mount)", pid, path);
}

int revive_state(struct restore *r, const struct record *rec)
{
	static const char what[] = "its state";
	struct program p;
	const struct kernel_timespec no_time = { 0, 0 };
	int taking, err = record_decode(rec, State_fields, &r->state);
	const State *m = &r->state;
	struct mm_fields mm;
	const struct born *b;

	if (err)
		return err;
	b = birth_find(r, (pid_t)r->state.pid);
	if (!b || b->zombie || rec->body_len > MM_AUXV_MAX)
		return fail(EIMAGE, "state of process %u: there is no such process", r->state.pid);
	if (world_fd(r, r->state.exe) < 0 || world_fd(r, r->state.cwd) < 0 || world_fd(r, r->state.root) < 0)
		return fail(EIMAGE, "state of process %u: its program or directories are not in the image", r->state.pid);
	err = check_program(b->pid, world_fd(r, r->state.exe));
	if (err)
		return err;
	r->pid = b->pid;
	r->sigtrap.handler = 0;
	r->next_timer = 0;
	if (IS_ON_ENDED_CALLS)
		r->caught = 0;

	mm = (struct mm_fields){
		.start_code = m->start_code, .end_code = m->end_code, .start_data = m->start_data, .end_data = m->end_data,
		.start_brk = m->start_brk, .brk = m->brk, .start_stack = m->start_stack, .arg_start = m->arg_start,
		.arg_end = m->arg_end, .env_start = m->env_start, .env_end = m->env_end,
	};
	reborn_program(r, &p);
	err = reborn_close(r, r->pid, &p, 0, r->world - 1);
	if (err)
		return err;
	if (IS_ON_CLOCKS)
		clocks_join(r, &p);
	mm_fields_add(&p, &mm, rec->body, rec->body_len, world_fd(r, r->state.exe));
	program_call(&p, OP_MUST, SYS_personality, (long)r->state.personality);
	program_call(&p, OP_MUST, SYS_prctl, PR_SET_THP_DISABLE, (long)(r->state.thp_disable & 1), (long)(r->state.thp_disable & ~1U));
	program_call(&p, OP_MUST, SYS_prctl, PR_SET_CHILD_SUBREAPER, r->state.subreaper);
	add_membarrier(&p, r->state.membarrier);
	add_permissions(&p, r->state.permissions);
	/* of children that ended or stopped while the tree was made; all others are from outside, and the workload's */
	taking = program_call(&p, 0, SYS_rt_sigtimedwait_time64, program_data(&p, &r->of_children, sizeof(r->of_children)), 0,
			      program_data(&p, &no_time, sizeof(no_time)), 8);
	program_call(&p, OP_INDIRECT << 0, OP_JUMP_IF_EQUAL, program_at(&p, taking) + (long)offsetof(struct op, ret), -EAGAIN,
		     program_at(&p, taking + 3));
	program_call(&p, 0, OP_JUMP, program_at(&p, taking));
	err = reborn_run(r, r->pid, &p, what);
	return err ? err : set_outside(r);
}

/* Records that belong to a process stand behind its state. */
static int in_process(const struct restore *r, const char *what)
{
	return r->settled && r->pid ? 0 : fail(EIMAGE, "%s of no process", what);
}

static int decode(const struct restore *r, const struct record *rec, const pb_msgdesc_t *fields, void *message, const char *what)
{
	int err = in_process(r, what);

	return err ? err : record_decode(rec, fields, message);
}

int revive_advice(struct restore *r, const struct record *rec)
{
	Advice m;
	struct program p;
	int err = decode(r, rec, Advice_fields, &m, "advice");

	if (err)
		return err;
	reborn_program(r, &p);
	if (m.advice == ADVICE_SEAL)
		program_call(&p, OP_MUST, SYS_mseal, (long)m.start, (long)(m.end - m.start), 0);
	else
		program_call(&p, OP_MUST, SYS_madvise, (long)m.start, (long)(m.end - m.start), (long)m.advice);
	return reborn_run(r, r->pid, &p, "advice on its memory");
}

int revive_sigactions(struct restore *r, const struct record *rec)
{
	Sigactions m;
	struct program p;
	int err = in_process(r, "signal actions");

	if (!err)
		err = lists_sigactions(rec, &m);
	if (err)
		return err;
	reborn_program(r, &p);
	for (size_t i = 0; i < m.signal_count; i++) {
		const struct kernel_sigaction action = {
			.handler = (unsigned long)m.handler[i], .flags = (unsigned long)m.flags[i],
			.restorer = (unsigned long)m.restorer[i], .mask = m.mask[i],
		};

		if (IS_ON_ENDED_CALLS && m.handler[i] != (uintptr_t)SIG_DFL && m.handler[i] != (uintptr_t)SIG_IGN)
			r->caught |= 1ULL << (m.signal[i] - 1);
		if (m.signal[i] == SIGTRAP && m.handler[i] == (uintptr_t)SIG_IGN) {
			r->sigtrap = action;
			continue;
		}
		err = reborn_room(r, r->pid, &p, 1, sizeof(action), "signal actions");
		if (err)
			return err;
		program_call(&p, OP_MUST, SYS_rt_sigaction, (long)m.signal[i], program_data(&p, &action, sizeof(action)), 0, 8);
	}
	return reborn_run(r, r->pid, &p, "signal actions");
}

int revive_stop(struct restore *r, const struct record *rec)
{
	static const struct kernel_timespec moment = { 0, 10000000 };	/* it is on its way, if the process is told at all */
	static const uint64_t sigchld = 1ULL << (SIGCHLD - 1);
	const struct born *child;
	Stop m;
	struct program p;
	int err = decode(r, rec, Stop_fields, &m, "a stop");
	const bool goes_on = IS_ON_SESSIONS && !err && m.continued;

	if (err)
		return err;
	if (!goes_on && m.continued)
		return record_unknown(rec);
	child = birth_find(r, (pid_t)m.pid);
	if (goes_on && (!child || child <= birth_find(r, r->pid) || child->zombie))
		return fail(EIMAGE, "a stop of process %u: it is no child", m.pid);
	err = goes_on ? settle_continue(r, child) : 0;
	if (err)
		return err;
	reborn_program(r, &p);
	if (goes_on)	/* the signal that tells of it is not the workload's */
		program_call(&p, 0, SYS_rt_sigtimedwait_time64, program_data(&p, &sigchld, sizeof(sigchld)), 0,
			     program_data(&p, &moment, sizeof(moment)), 8);
	else
		program_call(&p, 0, SYS_waitid, P_PID, (long)m.pid, 0, WSTOPPED | WNOHANG, 0);
	return reborn_run(r, r->pid, &p, "a stop that it has waited for");
}

int revive_descriptors(struct restore *r, const struct record *rec)
{
	Descriptors m;
	struct program p;
	int err = in_process(r, "descriptors");

	if (!err)
		err = lists_descriptors(rec, &m);
	if (err)
		return err;
	reborn_program(r, &p);
	for (size_t i = 0; i < m.fd_count; i++) {
		int fd = world_fd(r, m.file[i]);

		if (fd < 0 || m.fd[i] > r->tree.highest_fd)
			return fail(EIMAGE, "fd %u: no open file %u", m.fd[i], m.file[i]);
		program_call(&p, OP_MUST, SYS_dup3, fd, (long)m.fd[i], m.cloexec[i] ? O_CLOEXEC : 0);
	}
	return reborn_run(r, r->pid, &p, "its descriptors");
}

int revive_pending(struct restore *r, const struct record *rec)
{
	Pending m;
	struct program p;
	int err = decode(r, rec, Pending_fields, &m, "a pending signal");
	siginfo_t info;

	if (err)
		return err;
	if (rec->body_len != sizeof(siginfo_t) || (m.tid && (!r->have_thread || m.tid != r->thread.tid)))
		return fail(EIMAGE, "a pending signal: not in its place");
	memcpy(&info, rec->body, sizeof(info));
	if (IS_ON_POSIX_TIMERS && posix_timers_take_back(r, &info))
		return 0;
	if (info.si_signo == SIGTRAP) {	/* not as long as a trap tells that a program has ended */
		memcpy(&r->traps[!m.tid], &info, sizeof(info));
		return 0;
	}
	reborn_program(r, &p);
	reborn_send(&p, r->pid, (pid_t)m.tid, &info);
	return reborn_run(r, m.tid ? (pid_t)m.tid : r->pid, &p, "a pending signal");
}

/* --- threads --- */

/* tid: a task that was made and not changed yet */
static int learn_inheritance(struct restore *r, pid_t tid)
{
	struct inheritance *in = &r->inherited;
	struct sched_param param = { 0 };
	struct proc_status own;
	int err = proc_status(getpid(), getpid(), &own);

	if (err)
		return fail_for(err, "tinyckpt's own status");
	in->credentials = own.credentials;
	if (own.groups_lost)
		in->credentials.groups_n = UINT32_MAX;	/* like nobody's */
	in->affinity_len = syscall(SYS_sched_getaffinity, tid, sizeof(in->affinity), in->affinity);
	syscall(SYS_sched_getparam, tid, &param);
	in->priority = (uint32_t)param.sched_priority;
	in->policy = (uint32_t)syscall(SYS_sched_getscheduler, tid);
	in->nice = getpriority(PRIO_PROCESS, (id_t)tid);
	in->ioprio = number_or_none(syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, tid));
	in->securebits = number_or_none(syscall(SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0));
	in->timerslack = (uint64_t)syscall(SYS_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);
	in->known = true;
	return 0;
}

/* Scheduling is set from outside, before the thread loses its rights, and only where it differs. */
static int set_scheduling(const struct inheritance *in, const Thread *m)
{
	const pid_t tid = (pid_t)m->tid;
	const struct sched_param param = { .sched_priority = (int)m->sched_priority };
	struct sched_attributes attributes;

	if (m->affinity.size && (in->affinity_len != m->affinity.size || memcmp(in->affinity, m->affinity.bytes, m->affinity.size)) &&
	    syscall(SYS_sched_setaffinity, tid, m->affinity.size, m->affinity.bytes))
		return fail_errno("thread %d: its processors", tid);
	if (IS_ON_SETTINGS && m->sched_attr.size == sizeof(attributes)) {
		memcpy(&attributes, m->sched_attr.bytes, sizeof(attributes));
		attributes.size = sizeof(attributes);
		attributes.flags |= attributes.util_max ? SCHED_FLAG_UTIL_CLAMP : 0;
		if (syscall(SYS_sched_setattr, tid, &attributes, 0))
			return fail_errno("thread %d: scheduling policy %u, its times, or its utilization", tid, m->sched_policy);
	} else if ((in->policy != m->sched_policy || in->priority != m->sched_priority) &&
	    syscall(SYS_sched_setscheduler, tid, m->sched_policy, &param))
		return fail_errno("thread %d: scheduling policy %u, priority %u", tid, m->sched_policy, m->sched_priority);
	if (in->nice != m->nice && setpriority(PRIO_PROCESS, (id_t)tid, m->nice))
		return fail_errno("thread %d: nice %d", tid, m->nice);
	if (in->ioprio != m->ioprio && syscall(SYS_ioprio_set, 1, tid, m->ioprio))
		return FAIL_CALL(SYS_ioprio_set, "thread %d: I/O priority %#x", tid, m->ioprio);
	return 0;
}

static void add_name(struct program *p, const Thread *m)
{
	char comm[COMM_LEN];

	memcpy(comm, m->comm, sizeof(comm) - 1);
	comm[sizeof(comm) - 1] = '\0';
	program_call(p, OP_MUST, SYS_prctl, PR_SET_NAME, program_data(p, comm, sizeof(comm)));
}

static void add_thread_areas(struct program *p, const struct inheritance *in, const Thread *m)
{
	stack_t altstack = { .ss_sp = (void *)(uintptr_t)m->altstack_sp, .ss_size = m->altstack_size, .ss_flags = (int)m->altstack_flags };

	/* SS_ONSTACK is no setting: it follows from the stack pointer */
	altstack.ss_flags &= ~SS_ONSTACK;
	if (altstack.ss_size || altstack.ss_flags != SS_DISABLE)
		program_call(p, OP_MUST, SYS_sigaltstack, program_data(p, &altstack, sizeof(altstack)), 0);
	program_call(p, 0, SYS_set_tid_address, (long)m->clear_child_tid);
	if (m->robust_len)
		program_call(p, OP_MUST, SYS_set_robust_list, (long)m->robust_list, (long)m->robust_len);
	if (m->rseq)
		program_call(p, OP_MUST, SYS_rseq, (long)m->rseq, (long)m->rseq_len, 0, (long)m->rseq_signature);
	if (ARCH_NR_set_tls >= 0)
		program_call(p, OP_MUST, ARCH_NR_set_tls, (long)m->tls);
	if (ARCH_NR_set_user_tls >= 0)
		program_call(p, OP_MUST, ARCH_NR_set_user_tls, (long)(m->tls >> 32));
	if (ARCH_PR_SET_CONTROL && m->control)
		program_call(p, OP_MUST, SYS_prctl, ARCH_PR_SET_CONTROL, (long)m->control);
	if (m->timerslack != in->timerslack)
		program_call(p, OP_MUST, SYS_prctl, PR_SET_TIMERSLACK, (long)m->timerslack);
	settings_add(p, m);
}

/* What forbids going back, and what a change of credentials would have reset. */
static void add_last_settings(const struct restore *r, struct program *p, const Thread *m)
{
	if (m->no_new_privs)
		program_call(p, OP_MUST, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1);
	/* the root's parent is the tool */
	if (m->pdeathsig && m->pid == r->tree.root && r->options->detach)
		log_warning("signal %u at its parent's end: not asked for, since --detach ends that", m->pdeathsig);
	else if (m->pdeathsig)
		program_call(p, OP_MUST, SYS_prctl, PR_SET_PDEATHSIG, (long)m->pdeathsig);
}

/*
 * Limits, while it has the right to raise them.  That of pending signals, which counts timers as well, is lowered when it has got
 * all of its own.
 */
static void add_limits(struct program *p, const State *s, bool has_signals)
{
	for (unsigned int i = 0; i < s->rlimit_count / 2; i++) {
		uint64_t limit[2] = { s->rlimit[2 * i], s->rlimit[2 * i + 1] };
		struct rlimit now;

		if (!getrlimit((int)i, &now) && now.rlim_cur == limit[0] && now.rlim_max == limit[1])
			continue;
		if (has_signals && i != RLIMIT_SIGPENDING)
			continue;
		if (!has_signals && i == RLIMIT_SIGPENDING) {
			if (limit[1] < now.rlim_max)
				limit[1] = now.rlim_max;
			limit[0] = limit[1];
		}
		program_call(p, OP_MUST, SYS_prlimit64, 0, (long)i, program_data(p, limit, sizeof(limit)), 0);
	}
}

static int lower_limit(struct restore *r, pid_t tid)
{
	struct program p;

	reborn_program(r, &p);
	add_limits(&p, &r->state, true);
	return reborn_run(r, tid, &p, "its limit of signals");
}

/* Real time counts from when the clocks went on: what has ended since ends at once. */
static void add_itimers(const struct restore *r, struct program *p)
{
	for (size_t i = 0; i + 1 < r->state.itimer_count && i < 6; i += 2) {
		const uint64_t interval = r->state.itimer[i + 1];
		const uint64_t gone = IS_ON_CLOCKS && i == 2 * ITIMER_REAL ? (uint64_t)clocks_gone_on(r) / 1000 : 0;
		uint64_t remains = r->state.itimer[i];

		/* a periodic one that ran out, its signal still pending, is set anew by the kernel when that is heard */
		if (!remains)
			remains = interval;
		else
			remains = remains > gone ? remains - gone : 1;
		const struct kernel_itimerval timer = {
			(long)(interval / 1000000), (long)(interval % 1000000), (long)(remains / 1000000), (long)(remains % 1000000),
		};

		if (remains)
			program_call(p, OP_MUST, SYS_setitimer, (long)(i / 2), program_data(p, &timer, sizeof(timer)), 0);
	}
}

/* What the leader does for the process, last, while it still has its rights. */
static int finish_process(struct restore *r, struct program *p)
{
	State *s = &r->state;
	int err;

	add_itimers(r, p);
	program_call(p, OP_MUST, SYS_fchdir, world_fd(r, s->root));
	program_call(p, OP_MUST, SYS_chroot, program_data(p, ".", 2));
	program_call(p, OP_MUST, SYS_fchdir, world_fd(r, s->cwd));
	err = reborn_close(r, r->pid, p, r->world, INT_MAX);
	program_call(p, OP_MUST, SYS_umask, (long)s->umask);
	add_limits(p, s, false);
	if (s->mlockall)
		program_call(p, OP_MUST, SYS_mlockall, (long)s->mlockall);
	return err;
}

/* Before it has used vectors a thread has no such registers that could be set. */
static int use_vectors(struct restore *r, const Thread *m)
{
	struct program p;

	for (size_t i = 0; ARCH_FIRST_USE && i < m->regset_type_count; i++)
		if (m->regset_type[i] == ARCH_REGSET_LOST) {
			reborn_program(r, &p);
			program_call(&p, 0, OP_LEAVE, (long)(r->area + ARCH_FIRST_USE));
			return reborn_run(r, (pid_t)m->tid, &p, "its vector registers");
		}
	return 0;
}

/* last: no other thread of the process needs the area any more */
static int finish(struct restore *r, bool last)
{
	const Thread *m = &r->thread;
	pid_t tid = (pid_t)m->tid;
	struct arch_regs regs;
	struct arch_interrupted call;
	size_t at = sizeof(regs);
	int err = 0;

	if (!r->have_thread)
		return 0;
	if (r->registers.len < sizeof(regs))
		return fail(EIMAGE, "thread %d: its registers are cut off", tid);
	memcpy(&regs, r->registers.data, sizeof(regs));
	if (IS_ON_VDSO_PROXY)
		err = vdso_can_go_on(birth_find(r, r->pid), arch_pc(&regs), arch_sp(&regs)) ?:
		      signal_frames_settle(r->pid, arch_sp(&regs));
	if (!err)
		err = use_vectors(r, m);
	if (!err && last && IS_ON_POSIX_TIMERS)
		err = posix_timers_make(r, tid);
	if (!err && last)
		err = lower_limit(r, tid);
	if (!err)
		err = reborn_leave(r, tid, last);
	if (err)
		return err;
	arch_interrupted(&regs, &call);
	call.nr = (long)m->syscall;
	err = made_again_note(r, m, &call);
	if (m->interrupted)
		arch_restart(&regs, (long)m->syscall);
	arch_no_restart(&regs);
	for (size_t i = 1; !err && i < m->regset_type_count; i++) {
		if (m->regset_len[i] > r->registers.len - at)
			return fail(EIMAGE, "thread %d: its registers are cut off", tid);
		if (ARCH_REGSET_LOST && m->regset_type[i] == ARCH_REGSET_LOST && m->regset_len[i] >= 64)
			arch_lost_settle(r->registers.data + at);
		err = thread_fill_regset(tid, m->regset_type[i], r->registers.data + at, m->regset_len[i]);
		if (err)
			return fail(err == -EINVAL ? EIMAGE : err, "thread %d: register set %#x (%u bytes): %s", tid, m->regset_type[i],
				    m->regset_len[i], strerror(-err));
		at += m->regset_len[i];
	}
	if (!err)
		err = thread_set_regs(tid, &regs);
	if (!err)
		err = thread_set_sigmask(tid, m->sigmask);
	if (err)
		return fail_for(err, "thread %d: its registers", tid);
	r->have_thread = false;
	if (last)
		r->pid = 0;
	return 0;
}

int revive_finish(struct restore *r)
{
	return finish(r, r->thread.tid == r->state.pid);
}

int revive_thread(struct restore *r, const struct record *rec)
{
	Thread thread, *m = &thread;
	struct program p;
	bool leader, ended;
	int err = decode(r, rec, Thread_fields, m, "a thread");

	if (err)
		return err;
	leader = m->tid == r->state.pid;
	ended = leader && r->have_thread && !m->regset_type_count;
	if (m->pid != r->state.pid || m->uid_count != 4 || m->gid_count != 4 || m->regset_type_count != m->regset_len_count ||
	    (!ended && (!m->regset_type_count || m->regset_type[0] != NT_PRSTATUS || m->regset_len[0] != sizeof(struct arch_regs))) ||
	    m->tid > 4194304 || !m->tid || (r->have_thread && r->thread.tid == r->state.pid))	/* the main thread is the last */
		return fail(EIMAGE, "thread %u: absurd", m->tid);
	err = settings_check(m);
	/* one that ended leaves it to the last of the others to unmap the area */
	if (!err && !ended) {
		err = revive_finish(r);
		r->thread = *m;
	}
	if (!err)
		err = !leader ? birth_thread(r, r->pid, (pid_t)m->tid) : IS_ON_PIDS ? birth_threads_end(r, r->pid) : 0;
	if (!err && !r->inherited.known)
		err = learn_inheritance(r, (pid_t)m->tid);
	if (!err)
		err = set_scheduling(&r->inherited, m);
	if (err)
		return err;

	reborn_program(r, &p);
	add_name(&p, m);
	if (!ended)
		add_thread_areas(&p, &r->inherited, m);
	if (leader)
		err = finish_process(r, &p);
	if (!err)
		err = credentials_add(&p, &r->inherited, m);
	if (!err)
		add_last_settings(r, &p, m);
	if (!err && leader && r->state.dumpable < 2)	/* 2 cannot be asked for: it comes with the credentials */
		program_call(&p, 0, SYS_prctl, PR_SET_DUMPABLE, (long)r->state.dumpable);
	if (!err)
		err = reborn_run(r, (pid_t)m->tid, &p, leader ? "the main thread" : "a thread");
	if (!err && leader && IS_ON_LOCKS)
		err = locks_take(r, (pid_t)m->tid);
	if (ended) {
		if (!err)
			err = reborn_exit(r, r->pid, SYS_exit, (int)(birth_find(r, r->pid)->exit_status >> 8));
		return err ? err : finish(r, true);
	}
	r->registers.len = 0;
	if (!err && buffer_append(&r->registers, rec->body, rec->body_len))
		err = fail(ENOMEM, "out of memory");
	r->have_thread = !err;
	return err;
}
