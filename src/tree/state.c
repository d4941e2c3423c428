/* SPDX-License-Identifier: MIT */
#include "tree/state.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/abi.h"
#include "kernel/ptrace.h"
#include "process.pb.h"
#include "thread.pb.h"
#include "tree/openings.h"
#include "tree/records.h"
#include "tree/visit.h"

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif
#ifndef PR_GET_THP_DISABLE
#define PR_GET_THP_DISABLE 42
#endif
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
enum { MEMBARRIER_CMD_GET_REGISTRATIONS_ = 1 << 9, STEP_MS = 10000 };

/* As the kernel has it (asm-generic/signal.h with SA_RESTORER): the C library's is another. */
struct kernel_sigaction {
	unsigned long handler, flags, restorer;
	uint64_t mask;
};

/* What threads have, each for itself, and only they can tell: the operations that ask ... */
struct thread_facts {
	int tid_address, timerslack, securebits;
	long altstack_at, tid_address_at, pdeathsig_at;
};

/* ... and what they said. */
struct thread_answers {
	bool no_tid_address;
	stack_t altstack;
	unsigned long tid_address;
	int pdeathsig;
	unsigned long timerslack;
	unsigned int securebits;
};

static void ask_thread(struct program *p, struct thread_facts *f)
{
	f->altstack_at = program_data(p, NULL, sizeof(stack_t));
	f->tid_address_at = program_data(p, NULL, sizeof(long));
	f->pdeathsig_at = program_data(p, NULL, sizeof(int));
	program_call(p, 0, SYS_sigaltstack, 0, f->altstack_at);
	f->tid_address = program_call(p, 0, SYS_prctl, PR_GET_TID_ADDRESS, f->tid_address_at);
	program_call(p, 0, SYS_prctl, PR_GET_PDEATHSIG, f->pdeathsig_at);
	f->timerslack = program_call(p, 0, SYS_prctl, PR_GET_TIMERSLACK);
	f->securebits = program_call(p, 0, SYS_prctl, PR_GET_SECUREBITS);
}

static struct thread_answers thread_answers(const struct program *p, const struct thread_facts *f)
{
	return (struct thread_answers){
		.no_tid_address = program_result(p, f->tid_address) < 0,
		.altstack = *(const stack_t *)program_read(p, f->altstack_at),
		.tid_address = *(const unsigned long *)program_read(p, f->tid_address_at),
		.pdeathsig = *(const int *)program_read(p, f->pdeathsig_at),
		.timerslack = (unsigned long)program_result(p, f->timerslack),
		.securebits = (unsigned int)program_result(p, f->securebits),
	};
}

enum { STOPS_MAX = 32 };

/* What the leader can tell of the process. */
struct process_facts {
	int sigaction[65];
	long sigaction_at[65];
	int rlimit[RLIM_NLIMITS];
	long rlimit_at[RLIM_NLIMITS];
	int itimer[3];
	long itimer_at[3];
	int dumpable, subreaper, thp, mdwe, membarrier, brk;
	long subreaper_at;
	long stops_at[STOPS_MAX];	/* siginfo of the stop of a child, empty when it was waited for */
	pid_t stops[STOPS_MAX];
	size_t stops_n;
	uint32_t mlockall;
};

/* Has the parent taken note of its child's stop?  Looking again leaves everything as it is (WNOWAIT). */
static void ask_stops(struct program *p, struct process_facts *f, const struct tree *tree, pid_t parent)
{
	for (size_t i = 0; i < tree->n && f->stops_n < STOPS_MAX; i++) {
		const struct process *child = &tree->processes[i];

		if (!child->stop_signal || child->ppid != parent)
			continue;
		f->stops[f->stops_n] = child->pid;
		f->stops_at[f->stops_n] = program_data(p, NULL, sizeof(siginfo_t));
		program_call(p, 0, SYS_waitid, P_PID, child->pid, f->stops_at[f->stops_n++], WSTOPPED | WNOHANG | WNOWAIT, 0);
	}
}

static void ask_process(struct program *p, struct process_facts *f)
{
	/* all: even a default action may carry flags, SA_NOCLDWAIT among them */
	for (int sig = 1; sig <= 64; sig++) {
		f->sigaction_at[sig] = program_data(p, NULL, sizeof(struct kernel_sigaction));
		f->sigaction[sig] = program_call(p, 0, SYS_rt_sigaction, sig, 0, f->sigaction_at[sig], 8);
	}
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		f->rlimit_at[i] = program_data(p, NULL, 2 * sizeof(uint64_t));
		f->rlimit[i] = program_call(p, 0, SYS_prlimit64, 0, i, 0, f->rlimit_at[i]);
	}
	for (int i = 0; i < 3; i++) {
		f->itimer_at[i] = program_data(p, NULL, sizeof(struct itimerval));
		f->itimer[i] = program_call(p, 0, SYS_getitimer, i, f->itimer_at[i]);
	}
	f->subreaper_at = program_data(p, NULL, sizeof(int));
	f->brk = program_call(p, 0, SYS_brk, 0);
	f->dumpable = program_call(p, 0, SYS_prctl, PR_GET_DUMPABLE);
	f->subreaper = program_call(p, 0, SYS_prctl, PR_GET_CHILD_SUBREAPER, f->subreaper_at);
	f->thp = program_call(p, 0, SYS_prctl, PR_GET_THP_DISABLE);
	f->mdwe = program_call(p, 0, SYS_prctl, PR_GET_MDWE);
	f->membarrier = program_call(p, 0, SYS_membarrier, MEMBARRIER_CMD_GET_REGISTRATIONS_, 0);
}

static int save_pending(struct save *s, pid_t tid, bool shared)
{
	siginfo_t infos[16];
	struct __ptrace_peeksiginfo_args peek = { .flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0, .nr = 16 };
	Pending m = { .tid = shared ? 0 : (uint32_t)tid };

	for (;;) {
		long n = ptrace(PTRACE_PEEKSIGINFO, tid, &peek, infos);

		if (n < 0)
			return fail_errno("thread %d: its pending signals", tid);
		for (long i = 0; i < n; i++) {
			int err = SAVE_RECORD(s, RECORD_PENDING, Pending_fields, &m, &infos[i], sizeof(infos[i]));

			if (err)
				return err;
		}
		if (n < peek.nr)
			return 0;
		peek.off += (uint64_t)n;
	}
}

/*
 * The calls that the kernel goes on with by restart_syscall(2), told apart by their arguments, where those leave no
 * doubt: a pointer is no small number, and a futex is waited for as long as it has the value that was given.
 */
static long guess_restart(pid_t pid, const struct arch_interrupted *call)
{
	enum { SMALL = 4096, FUTEX_FLAGS = 128 | 256, WAIT = 0, WAIT_BITSET = 9 };
	unsigned long first = (unsigned long)call->args[0], second = (unsigned long)call->args[1];
	unsigned long operation = second & ~(unsigned long)FUTEX_FLAGS;
	uint32_t word;
	bool pointer = first >= SMALL;
	bool futex = pointer && !(first & 3) && (operation == WAIT || operation == WAIT_BITSET) &&
		     (unsigned long)call->args[3] >= SMALL && !task_read(pid, &word, first, sizeof(word)) &&
		     word == (uint32_t)call->args[2];

	if (!pointer && second == 0 && (unsigned long)call->args[2] >= SMALL)
		return SYS_clock_nanosleep;
	if (futex)
		return SYS_futex;
#ifdef SYS_poll
	if ((pointer || !first) && second < SMALL && second && operation != WAIT && operation != WAIT_BITSET)
		return SYS_poll;
#endif
	return pointer && second >= SMALL ? SYS_nanosleep : -1;
}

/* Which call a thread stands in that the kernel knows by "restart_syscall" alone: its caller's code tells. */
static int resolve_restart(pid_t pid, pid_t tid, const struct arch_regs *regs, struct arch_interrupted *call)
{
	uint8_t text[32];

	if (call->error != ARCH_ERESTART_RESTARTBLOCK || call->nr != arch_nr_restart_syscall)
		return 0;
	call->nr = -1;
	if (!task_read(pid, text, arch_pc(regs) - sizeof(text), sizeof(text)))
		call->nr = arch_decode_syscall(text, sizeof(text));
	if (call->nr < 0)
		call->nr = guess_restart(pid, call);
	if (call->nr < 0)
		return fail(EHOLDS, "thread %d: it sleeps in a system call that was interrupted before, and the kernel does not tell "
			    "which", tid);
	return 0;
}

/* Register sets into body, in the order of m's lists.  Returns their bytes or a negative errno. */
static ssize_t save_regsets(pid_t tid, Thread *m, uint8_t *body, const struct arch_regs *regs)
{
	static const unsigned int types[] = ARCH_REGSETS;
	size_t at = sizeof(*regs);

	memcpy(body, regs, sizeof(*regs));
	m->regset_type[0] = NT_PRSTATUS;
	m->regset_len[0] = sizeof(*regs);
	m->regset_type_count = 1;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t len = ARCH_REGSET_MAX;
		int err = thread_regset(tid, types[i], body + at, &len);

		if (err == -ENODEV || err == -EINVAL)
			continue;
		if (err)
			return fail(err, "thread %d: register set %#x: %s", tid, types[i], strerror(-err));
		m->regset_type[m->regset_type_count] = types[i];
		m->regset_len[m->regset_type_count++] = (uint32_t)len;
		at += len;
	}
	m->regset_len_count = m->regset_type_count;
	return (ssize_t)at;
}

static void see_credentials(Thread *m, const struct proc_status *st)
{
	memcpy(m->uid, st->uid, sizeof(st->uid));
	memcpy(m->gid, st->gid, sizeof(st->gid));
	memcpy(m->groups, st->groups, sizeof(st->groups));
	m->uid_count = m->gid_count = 4;
	m->groups_count = (pb_size_t)st->groups_n;
	m->cap_inheritable = st->cap_inh;
	m->cap_permitted = st->cap_prm;
	m->cap_effective = st->cap_eff;
	m->cap_bounding = st->cap_bnd;
	m->cap_ambient = st->cap_amb;
	m->no_new_privs = st->no_new_privs;
}

static void see_scheduling(Thread *m, const struct proc_stat *stat)
{
	const pid_t tid = (pid_t)m->tid;
	long len = syscall(SYS_sched_getaffinity, tid, sizeof(m->affinity.bytes), m->affinity.bytes);

	m->affinity.size = len > 0 ? (pb_size_t)len : 0;
	m->sched_policy = (uint32_t)syscall(SYS_sched_getscheduler, tid);	/* with SCHED_RESET_ON_FORK */
	m->sched_priority = stat->rt_priority;
	m->nice = stat->nice;
	m->ioprio = (uint32_t)syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, tid);
}

/* What is seen of a thread from outside, be it stopped or at work. */
static int see_thread(Thread *m, pid_t pid, pid_t tid, struct proc_status *st)
{
	struct proc_stat stat = { 0 };
	void *robust = NULL;
	size_t robust_len = 0;
	int err = proc_stat(pid, tid, &stat);

	*m = (Thread){ .pid = (uint32_t)pid, .tid = (uint32_t)tid };
	if (!err)
		err = proc_status(pid, tid, st);
	if (err)
		return fail(err, "thread %d: its status: %s", tid, strerror(-err));
	snprintf(m->comm, sizeof(m->comm), "%s", stat.comm);
	if (!syscall(SYS_get_robust_list, tid, &robust, &robust_len)) {
		m->robust_list = (uintptr_t)robust;
		m->robust_len = (uint32_t)robust_len;
	}
	see_credentials(m, st);
	see_scheduling(m, &stat);
	return 0;
}

/* m: as see_thread() left it. */
static int save_thread(struct save *s, Thread *m, const struct visitor *who, const struct thread_answers *a)
{
	const pid_t pid = (pid_t)m->pid, tid = (pid_t)m->tid;
	const struct arch_regs *regs = &who->home.regs;
	uint8_t *body = image_body(&s->image);
	struct arch_interrupted call;
	ssize_t len;
	int err;

	if (a->no_tid_address)
		return fail(EHOLDS, "thread %d: this kernel does not tell where it clears its thread ID (CONFIG_CHECKPOINT_RESTORE)", tid);
	m->altstack_sp = (uintptr_t)a->altstack.ss_sp;
	m->altstack_size = a->altstack.ss_size;
	m->altstack_flags = (uint32_t)a->altstack.ss_flags;
	m->clear_child_tid = a->tid_address;
	m->pdeathsig = (uint32_t)a->pdeathsig;
	m->timerslack = a->timerslack;
	m->securebits = a->securebits;
	m->sigmask = who->home.sigmask;
	if (who->rseq.rseq_abi_pointer) {
		m->rseq = who->rseq.rseq_abi_pointer;
		m->rseq_len = who->rseq.rseq_abi_size;
		m->rseq_signature = who->rseq.signature;
	}
	arch_interrupted(regs, &call);
	err = resolve_restart(pid, tid, regs, &call);
	if (err)
		return err;
	m->interrupted = (uint32_t)call.error;
	m->syscall = (uint32_t)call.nr;

	len = save_regsets(tid, m, body, regs);
	if (len < 0)
		return (int)len;
	err = SAVE_RECORD(s, RECORD_THREAD, Thread_fields, m, body, (size_t)len);
	s->totals.threads++;
	return err ? err : save_pending(s, tid, false);
}

static int save_sigactions(struct save *s, const struct process_facts *f, const struct program *prog)
{
	Sigactions m = Sigactions_init_zero;
	pb_size_t n = 0;

	for (int sig = 1; sig <= 64; sig++) {
		const struct kernel_sigaction *action;

		if (!f->sigaction_at[sig])
			continue;
		action = program_read(prog, f->sigaction_at[sig]);
		if (!action->handler && !action->flags && !action->mask)
			continue;
		m.signal[n] = (uint32_t)sig;
		m.handler[n] = action->handler;
		m.flags[n] = action->flags;
		m.restorer[n] = action->restorer;
		m.mask[n++] = action->mask;
	}
	m.signal_count = m.handler_count = m.flags_count = m.restorer_count = m.mask_count = n;
	return n ? SAVE_RECORD(s, RECORD_SIGACTIONS, Sigactions_fields, &m, NULL, 0) : 0;
}

static int save_descriptors(struct save *s, const struct process *p)
{
	const struct place *place = (const struct place *)(void *)s->places.data;
	Descriptors m;
	pb_size_t n = 0;

	for (size_t i = 0, all = s->places.len / sizeof(*place); i <= all; i++) {
		if (n == 128 || (i == all && n)) {
			int err;

			m.fd_count = m.file_count = m.cloexec_count = n;
			err = SAVE_RECORD(s, RECORD_DESCRIPTORS, Descriptors_fields, &m, NULL, 0);
			if (err)
				return err;
			n = 0;
		}
		if (i == all || place[i].pid != p->pid || place[i].fd < 0)
			continue;
		m.fd[n] = (uint32_t)place[i].fd;
		m.file[n] = place[i].id;
		m.cloexec[n++] = place[i].cloexec;
	}
	return 0;
}

/* A file of /proc/PID: its length, 0 (and no text) when the kernel has none such, or a negative error, said. */
static int read_setting(pid_t pid, const char *name, char *text, size_t cap)
{
	ssize_t len = proc_readf(text, cap, "/proc/%d/%s", pid, name);

	if (len == -ENOENT)
		text[0] = '\0';
	return len >= 0 ? (int)len : len == -ENOENT ? 0 : fail((int)len, "its %s: %s", name, strerror((int)-len));
}

static int save_state(struct save *s, const struct process *p, const struct process_facts *f, const struct program *prog,
		      const struct proc_status *st)
{
	State m = {
		.pid = (uint32_t)p->pid,
		.cwd = openings_place(s, p->pid, PLACE_CWD),
		.root = openings_place(s, p->pid, PLACE_ROOT),
		.umask = st->umask,
		.dumpable = (uint32_t)program_result(prog, f->dumpable),
		.subreaper = *(const int *)program_read(prog, f->subreaper_at) != 0,
		.thp_disable = program_result(prog, f->thp) == 1,
		.exe = openings_place(s, p->pid, PLACE_EXE),
		.brk = (uint64_t)program_result(prog, f->brk),
		.rlimit_count = 2 * RLIM_NLIMITS,
		.itimer_count = 6,
	};
	struct proc_stat stat;
	uint8_t auxv[1024];
	ssize_t auxv_len = proc_readf((char *)auxv, sizeof(auxv), "/proc/%d/auxv", p->pid);
	char text[64];
	int err = proc_stat(p->pid, 0, &stat);

	if (err || auxv_len < 0)
		return fail(err ? err : (int)auxv_len, "its stat or auxiliary vector: %s", strerror(err ? -err : (int)-auxv_len));
	m.start_code = stat.start_code;
	m.end_code = stat.end_code;
	m.start_data = stat.start_data;
	m.end_data = stat.end_data;
	m.start_brk = stat.start_brk;
	m.start_stack = stat.start_stack;
	m.arg_start = stat.arg_start;
	m.arg_end = stat.arg_end;
	m.env_start = stat.env_start;
	m.env_end = stat.env_end;
	if (program_result(prog, f->mdwe) > 0)
		m.mdwe = (uint32_t)program_result(prog, f->mdwe);
	if (program_result(prog, f->membarrier) > 0)
		m.membarrier = (uint32_t)program_result(prog, f->membarrier);
	err = read_setting(p->pid, "personality", text, sizeof(text));
	if (err >= 0) {
		m.personality = (uint32_t)strtoul(text, NULL, 16);
		err = read_setting(p->pid, "oom_score_adj", text, sizeof(text));
	}
	if (err >= 0) {
		m.oom_score_adj = atoi(text);
		err = read_setting(p->pid, "coredump_filter", text, sizeof(text));
	}
	if (err > 0)	/* a kernel without core dumps has none */
		m.coredump_filter = (uint32_t)strtoul(text, NULL, 16) + 1;
	if (err < 0)
		return err;
	m.mlockall = f->mlockall;
	for (size_t i = 0; i < f->stops_n; i++)
		if (!((const siginfo_t *)program_read(prog, f->stops_at[i]))->si_pid)
			m.stop_reported[m.stop_reported_count++] = (uint32_t)f->stops[i];
	for (int i = 0; i < RLIM_NLIMITS; i++)
		memcpy(&m.rlimit[2 * i], program_read(prog, f->rlimit_at[i]), 2 * sizeof(uint64_t));
	for (int i = 0; i < 3; i++) {
		const struct itimerval *t = program_read(prog, f->itimer_at[i]);

		m.itimer[2 * i] = (uint64_t)t->it_value.tv_sec * 1000000 + (uint64_t)t->it_value.tv_usec;
		m.itimer[2 * i + 1] = (uint64_t)t->it_interval.tv_sec * 1000000 + (uint64_t)t->it_interval.tv_usec;
	}
	image_mark(&s->image, RECORD_STATE, (uint32_t)p->pid);
	return SAVE_RECORD(s, RECORD_STATE, State_fields, &m, auxv, (size_t)auxv_len);
}

static int save_advice(struct save *s, const struct process *p)
{
	const struct late_advice *l = (const struct late_advice *)(void *)s->late.data;

	for (size_t i = 0; i < s->late.len / sizeof(*l); i++) {
		Advice m = { l[i].start, l[i].end, l[i].advice };
		int err = l[i].pid == p->pid ? SAVE_RECORD(s, RECORD_ADVICE, Advice_fields, &m, NULL, 0) : 0;

		if (err)
			return err;
	}
	return 0;
}

/* One thread other than the leader: asked, and seen from outside meanwhile; led home, written. */
static int ask_other(struct save *s, const struct process *p, struct visit *v, pid_t tid)
{
	struct thread_facts f = { 0 };
	struct thread_answers a;
	struct proc_status st;
	struct program prog;
	Thread m;
	int err;

	visit_program(v, tid, &prog);
	ask_thread(&prog, &f);
	err = visit_thread_start(v, tid, &prog);
	if (!err)
		err = see_thread(&m, p->pid, tid, &st);
	if (!err)
		err = visit_thread_end(v, &prog);
	if (err)
		return err;
	a = thread_answers(&prog, &f);
	return save_thread(s, &m, &v->thread, &a);
}

/* A process on its way through the steps below. */
struct asked {
	const struct process *p;
	struct visit visit;
	struct program program;
	struct process_facts facts;
	struct thread_facts leader;
};

static int begin(struct save *s, struct asked *a)
{
	const uint64_t middle = s->gap.start + (s->gap.end - s->gap.start) / 2;

	return visit_begin(&a->visit, a->p, middle & ~(uint64_t)0xffff, s->program);
}

static int enter(struct save *s, struct asked *a)
{
	(void)s;
	return visit_enter(&a->visit);
}

static int ask(struct save *s, struct asked *a)
{
	visit_program(&a->visit, a->p->pid, &a->program);
	ask_process(&a->program, &a->facts);
	ask_stops(&a->program, &a->facts, &s->tree, a->p->pid);
	ask_thread(&a->program, &a->leader);
	return visit_start(&a->visit, &a->program);
}

/* The leader's record last: restore ends a process with it. */
static int write_records(struct save *s, struct asked *a)
{
	const struct process *p = a->p;
	struct thread_answers leader;
	struct proc_status st = { 0 };
	Thread m;
	int err = visit_finish(&a->visit, &a->program);

	if (err)
		return err;
	log_debug("its state: %zu threads", p->threads_n);
	leader = thread_answers(&a->program, &a->leader);
	err = see_thread(&m, p->pid, p->pid, &st);
	if (err)
		return err;
	if (st.locked)
		err = visit_mlockall(&a->visit, &a->facts.mlockall);
	if (!err)
		err = save_state(s, p, &a->facts, &a->program, &st);
	if (!err)
		err = save_sigactions(s, &a->facts, &a->program);
	if (!err)
		err = save_descriptors(s, p);
	if (!err)
		err = save_advice(s, p);
	if (!err)
		err = save_pending(s, p->pid, true);
	for (size_t i = 1; !err && i < p->threads_n; i++) {
		if (i % 16 == 0)	/* a page cache that is being written to flash can hold up the records */
			wait_deadline(STEP_MS);
		err = ask_other(s, p, &a->visit, p->threads[i].tid);
	}
	return err ? err : save_thread(s, &m, &a->visit.leader, &leader);
}

static int leave(struct save *s, struct asked *a)
{
	(void)s;
	return visit_leave(&a->visit);
}

static int end(struct save *s, struct asked *a)
{
	(void)s;
	return visit_end(&a->visit);
}

/*
 * Several processes take their steps side by side: while one is on its way into a system call, which wakes another
 * processor, the tool is with the next.  As each writes its records in one step, they lie together in the image.
 */
int state_save(struct save *s)
{
	static int (*const steps[])(struct save *s, struct asked *a) = { begin, enter, enter, ask, write_records, leave, leave, end };
	enum { SIDE_BY_SIDE = 16 };
	size_t room = s->tree.n < SIDE_BY_SIDE ? s->tree.n : SIDE_BY_SIDE;
	CLEANUP_FREE struct asked *asked = calloc(room, sizeof(*asked));
	int err = 0;

	if (!asked)
		return fail(ENOMEM, "out of memory");
	for (size_t next = 0; !err && next < s->tree.n;) {
		size_t n = 0;

		for (; n < room && next < s->tree.n; next++)
			if (!s->tree.processes[next].zombie)
				asked[n++] = (struct asked){ .p = &s->tree.processes[next] };
		for (size_t k = 0; !err && k < sizeof(steps) / sizeof(*steps); k++) {
			for (size_t i = 0; !err && i < n; i++) {
				CONTEXT("pid %d (%s)", asked[i].p->pid, asked[i].p->comm);

				wait_deadline(STEP_MS);
				err = steps[k](s, &asked[i]);
			}
		}
		for (size_t i = 0; err && i < n; i++)
			(void)visit_end(&asked[i].visit);
	}
	wait_deadline(0);
	return err;
}
