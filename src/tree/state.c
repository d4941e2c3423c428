/* SPDX-License-Identifier: MIT */
#include "tree/state.h"

#include <errno.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/mm_fields.h"
#include "kernel/ptrace.h"
#include "process.pb.h"
#include "tree/clocks.h"
#include "tree/cloexec.h"
#include "tree/landlock.h"
#include "tree/locks.h"
#include "tree/openings.h"
#include "tree/posix_timers.h"
#include "tree/records.h"
#include "tree/shared.h"
#include "tree/thread_state.h"
#include "tree/timer_signals.h"
#include "tree/timers.h"
#include "tree/way_home.h"

#ifndef PR_GET_THP_DISABLE
#define PR_GET_THP_DISABLE 42
#endif
/*
 * membarrier(2): PRIVATE is the first of three commands, each followed by the one that registers for it, and refused without
 * that.  The kernel tells of them only since Linux 6.3, and of the first also when it was another that was registered for.
 */
enum { MEMBARRIER_REGISTER_GLOBAL = 2, MEMBARRIER_PRIVATE = 3, MEMBARRIER_GET_REGISTRATIONS = 9, MEMBARRIER_PRIVATES = 3 };
enum { STEP_MS = 10000 };

/* What the leader can tell of the process. */
struct process_facts {
	int sigaction[65];
	long sigaction_at[65];
	int rlimit[RLIM_NLIMITS];
	long rlimit_at[RLIM_NLIMITS];
	long itimer_at[3], asked_at;	/* at once behind the first, ITIMER_REAL: the time by their CLOCK_MONOTONIC */
	int dumpable, subreaper, thp, membarrier, brk, personality, landlock;
	long subreaper_at, permissions_at;
	uint32_t mlockall;
};

static void ask_process(struct program *p, struct process_facts *f, const struct process *process)
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
	if (IS_ON_CLOCKS)
		f->asked_at = program_data(p, NULL, sizeof(struct kernel_timespec));
	for (int i = 3; i-- > 0;) {
		f->itimer_at[i] = program_data(p, NULL, sizeof(struct kernel_itimerval));
		program_call(p, 0, SYS_getitimer, i, f->itimer_at[i]);
	}
	if (IS_ON_CLOCKS)
		program_call(p, 0, SYS_clock_gettime64, CLOCK_MONOTONIC, f->asked_at);
	f->subreaper_at = program_data(p, NULL, sizeof(int));
	if (ARCH_NR_permission >= 0) {
		f->permissions_at = program_data(p, NULL, sizeof(uint64_t));
		program_call(p, 0, ARCH_NR_permission, ARCH_GET_PERMISSIONS, f->permissions_at);
	}
	f->brk = program_call(p, 0, SYS_brk, 0);
	f->personality = program_call(p, 0, SYS_personality, 0xffffffff);
	f->dumpable = program_call(p, 0, SYS_prctl, PR_GET_DUMPABLE);
	f->subreaper = program_call(p, 0, SYS_prctl, PR_GET_CHILD_SUBREAPER, f->subreaper_at);
	f->thp = program_call(p, 0, SYS_prctl, PR_GET_THP_DISABLE);
	if (IS_ON_SETTINGS)
		f->landlock = landlock_ask(p, process);
	f->membarrier = program_call(p, 0, SYS_membarrier, 1 << MEMBARRIER_GET_REGISTRATIONS, 0);
	for (int i = 0; i < MEMBARRIER_PRIVATES; i++)
		program_call(p, 0, SYS_membarrier, 1 << (MEMBARRIER_PRIVATE + 2 * i), 0);
}

/*
 * As bits, one for each command that registers.  Where the kernel does not tell, all are for GLOBAL: without need that means
 * interrupts when other processes ask for them, no more.
 */
static uint32_t registrations(const struct process_facts *f, const struct program *prog)
{
	const long told = program_result(prog, f->membarrier);
	const uint32_t global = 1U << MEMBARRIER_REGISTER_GLOBAL;
	uint32_t bits = told == -EINVAL || (told > 0 && told & global) ? global : 0;

	for (int i = 0; i < MEMBARRIER_PRIVATES; i++)
		if (program_result(prog, f->membarrier + 1 + i) >= 0)
			bits |= 1U << (MEMBARRIER_PRIVATE + 1 + 2 * i);
	return bits;
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

/* The signals whose handlers end a call with EINTR. */
static uint64_t ended_by(const struct process_facts *f, const struct program *prog)
{
	uint64_t signals = 0;

	for (int sig = 1; sig <= 64; sig++) {
		const struct kernel_sigaction *action = program_read(prog, f->sigaction_at[sig]);

		if (!(action->flags & SA_RESTART))
			signals |= 1ULL << (sig - 1);
	}
	return signals;
}

static int save_descriptors(struct save *s, const struct process *p)
{
	const struct place *place = (const struct place *)(void *)s->places.data;
	Descriptors m;
	pb_size_t n = 0;

	for (size_t i = p->place; i <= p->place_end; i++) {
		if (n == 128 || (i == p->place_end && n)) {
			int err;

			m.fd_count = m.file_count = m.cloexec_count = n;
			err = SAVE_RECORD(s, RECORD_DESCRIPTORS, Descriptors_fields, &m, NULL, 0);
			if (err)
				return err;
			n = 0;
		}
		if (i == p->place_end || place[i].fd < 0)
			continue;
		m.fd[n] = (uint32_t)place[i].fd;
		m.file[n] = place[i].id;
		m.cloexec[n++] = place[i].cloexec != 0;
	}
	return 0;
}

/* A file of /proc/PID: its length, 0 (and no text) when the kernel has none such, or a negative error, said. */
static int read_setting(pid_t pid, const char *name, char *text, size_t cap)
{
	ssize_t len = proc_readf(text, cap, "/proc/%d/%s", pid, name);

	if (len == -ENOENT)
		text[0] = '\0';
	return len >= 0 ? (int)len : len == -ENOENT ? 0 : fail_for((int)len, "its %s", name);
}

/* Real time has run on since the clocks stopped, and is counted from there when the tree goes on; what has ended since ends again. */
static void since_standstill(struct save *s, const struct process *p, const struct kernel_timespec *asked, uint64_t itimer[2])
{
	const uint64_t still = (uint64_t)(asked->sec * 1000000000LL + asked->nsec - s->still_theirs);

	const uint64_t rang = itimer[0] ? 0 : timers_rang(s, p->tid, true, ALARM);

	s->alarm = itimer[0] || rang;
	if (s->alarm)
		itimer[0] += (rang ? rang : still) / 1000 + 1;
	if (rang && itimer[1] && itimer[1] < itimer[0])
		itimer[0] = itimer[1];
}

static int save_state(struct save *s, const struct process *p, const struct process_facts *f, const struct program *prog,
		      const struct proc_status *st, const struct proc_stat *stat)
{
	State m = {
		.pid = (uint32_t)p->pid,
		.cwd = openings_place(s, p, PLACE_CWD),
		.root = openings_place(s, p, PLACE_ROOT),
		.umask = st->umask,
		.dumpable = (uint32_t)program_result(prog, f->dumpable),
		.subreaper = *(const int *)program_read(prog, f->subreaper_at) != 0,
		.thp_disable = (uint32_t)program_result(prog, f->thp) & 3,
		.exe = openings_place(s, p, PLACE_EXE),
		.brk = (unsigned long)program_result(prog, f->brk),
		.personality = (uint32_t)program_result(prog, f->personality),
		.start_code = stat->start_code,
		.end_code = stat->end_code,
		.start_data = stat->start_data,
		.end_data = stat->end_data,
		.start_brk = stat->start_brk,
		.start_stack = stat->start_stack,
		.arg_start = stat->arg_start,
		.arg_end = stat->arg_end,
		.env_start = stat->env_start,
		.env_end = stat->env_end,
		.rlimit_count = 2 * RLIM_NLIMITS,
		.itimer_count = 6,
	};
	uint8_t auxv[MM_AUXV_MAX];
	ssize_t auxv_len = proc_readf((char *)auxv, sizeof(auxv), "/proc/%d/auxv", p->tid);
	char text[64];
	uint64_t all = 0;
	int err;

	if (auxv_len < 0)
		return fail_for((int)auxv_len, "its auxiliary vector");
	m.membarrier = registrations(f, prog);
	if (ARCH_NR_permission >= 0 && !syscall(ARCH_NR_permission, ARCH_GET_PERMISSIONS, &all))
		m.permissions = *(const uint64_t *)program_read(prog, f->permissions_at) & ~all;
	err = read_setting(p->tid, "oom_score_adj", text, sizeof(text));
	if (err >= 0) {
		m.oom_score_adj = atoi(text);
		err = read_setting(p->tid, "coredump_filter", text, sizeof(text));
	}
	if (err > 0)	/* a kernel without core dumps has none */
		m.coredump_filter = (uint32_t)strtoul(text, NULL, 16) + 1;
	if (err < 0)
		return err;
	m.mlockall = f->mlockall;
	for (int i = 0; i < RLIM_NLIMITS; i++)
		memcpy(&m.rlimit[2 * i], program_read(prog, f->rlimit_at[i]), 2 * sizeof(uint64_t));
	for (int i = 0; i < 3; i++) {
		const struct kernel_itimerval *t = program_read(prog, f->itimer_at[i]);

		m.itimer[2 * i] = (uint64_t)t->sec * 1000000 + (uint64_t)t->usec;
		m.itimer[2 * i + 1] = (uint64_t)t->interval_sec * 1000000 + (uint64_t)t->interval_usec;
	}
	if (IS_ON_CLOCKS)
		since_standstill(s, p, program_read(prog, f->asked_at), &m.itimer[2 * ITIMER_REAL]);
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

/* A thread that has been asked and is home again. */
struct other {
	struct visitor who;	/* tid 0: none */
	struct thread_answers answers;
	Thread m;
};

static int write_other(struct save *s, struct other *o, int err)
{
	if (!err && o->who.tid)
		err = thread_save(s, &o->m, &o->who, &o->answers);
	free(o->who.lost);
	o->who.lost = NULL;
	return err;
}

/*
 * One thread other than the leader: asked, seen from outside, led home.  While it is at work, and perhaps yet to be woken,
 * the one before it is written.
 */
static int ask_other(struct save *s, const struct process *p, struct visit *v, const struct thread *thread,
		     const struct proc_credentials *leader, struct other *o)
{
	const pid_t tid = thread->tid;
	struct thread_facts f = { 0 };
	struct program prog;
	int before = 0, err = visit_thread_begin(v, thread);

	if (err)
		return err;
	visit_program(v, tid, &prog);
	thread_ask(&prog, &f, &v->thread);
	if (IS_ON_POSIX_TIMERS)
		timer_signals_settle(s, p, tid, false, &prog);
	err = visit_thread_start(v, &prog);
	if (IS_ON_COPY_BEHIND)
		before = write_other(s, o, err);
	if (!err)
		err = visit_thread_halt(v, &prog);
	if (!err && !before)
		before = thread_see(&o->m, p->pid, tid, thread->like_leader ? leader : NULL);
	if (!err)	/* whatever became of the record before, this one is to be led home */
		err = visit_thread_end(v, &prog);
	if (err || before)
		return err ? err : before;
	o->answers = thread_answers(&prog, &f);
	err = IS_ON_POSIX_TIMERS ? timer_signals_settled(s, v, p, thread, &prog) : 0;
	if (err)
		return err;
	if (!IS_ON_COPY_BEHIND)
		return thread_save(s, &o->m, &v->thread, &o->answers);
	o->who = v->thread;
	v->thread.lost = NULL;
	return 0;
}

/* A process on its way through the steps below. */
struct asked {
	struct process *p;
	struct visit visit;
	struct program program;
	struct process_facts facts;
	struct thread_facts leader;
};

static int begin(struct save *s, struct asked *a)
{
	/*
	 * Near the upper end, where page tables are there already, which saves a twelfth of a visit; but at some distance
	 * from it: should the tool die, a stack or a heap may want to grow before the area is gone.
	 */
	const uint64_t half = (s->gap.end - s->gap.start) / 2, distance = half < 16 << 20 ? half : 16 << 20;

	return visit_begin(&a->visit, a->p, (s->gap.end - distance) & ~(uint64_t)0xffff, s->program);
}

static int enter(struct save *s, struct asked *a)
{
	(void)s;
	return visit_enter(&a->visit);
}

static int ask(struct save *s, struct asked *a)
{
	(void)s;
	visit_program(&a->visit, a->p->tid, &a->program);
	ask_process(&a->program, &a->facts, a->p);
	thread_ask(&a->program, &a->leader, &a->visit.leader);
	return visit_start(&a->visit, &a->program);
}

static int halt(struct save *s, struct asked *a)
{
	(void)s;
	return visit_halt(&a->visit, &a->program);
}

/*
 * Which of its children's stops has it taken note of, and of which that they go on since has it not?  Looking again leaves
 * everything as it is (WNOWAIT).
 */
static int save_stops(struct save *s, struct asked *a)
{
	enum { MOST = 32 };	/* so many at a time: they fit a program */

	for (size_t i = 0; i < s->tree.n;) {
		struct program prog;
		Stop m[MOST];
		long at[MOST];	/* siginfo of the stop, empty when it was waited for */
		size_t n = 0;
		int err;

		visit_program(&a->visit, a->p->tid, &prog);
		for (; i < s->tree.n && n < MOST; i++) {
			const struct process *child = &s->tree.processes[i];

			if (child->zombie || child->ppid != a->p->pid)
				continue;
			m[n] = (Stop){ .pid = (uint32_t)child->pid, .continued = !child->stop_signal };
			at[n] = program_data(&prog, NULL, sizeof(siginfo_t));
			program_call(&prog, 0, SYS_waitid, P_PID, child->pid, at[n],
				     (m[n].continued ? WCONTINUED : WSTOPPED) | WNOHANG | WNOWAIT, 0);
			n++;
		}
		err = n ? visit_run(&a->visit, &prog) : 0;
		for (size_t j = 0; !err && j < n; j++)
			if (!((const siginfo_t *)program_read(&prog, at[j]))->si_pid == !m[j].continued)
				err = m[j].continued && !IS_ON_SESSIONS
					      ? fail(EHOLDS, "it is yet to learn that %u goes on: built without CONFIG_SESSIONS", m[j].pid)
					      : SAVE_RECORD(s, RECORD_STOP, Stop_fields, &m[j], NULL, 0);
		if (err)
			return err;
	}
	return 0;
}

/* SIGSTOP, which nothing blocks, came since all stood still, and is no longer pending: it has stopped the process on its visit. */
static int save_stop_since(struct save *s, const struct asked *a)
{
	siginfo_t *info = (siginfo_t *)(void *)image_body(&s->image);

	if (!a->visit.stopped || a->p->stop_signal)
		return 0;
	memset(info, 0, sizeof(*info));
	info->si_signo = SIGSTOP;
	return SAVE_RECORD(s, RECORD_PENDING, NULL, NULL, info, sizeof(*info));
}

/* The leader's record last: restore ends a process with it. */
static int write_records(struct save *s, struct asked *a)
{
	const struct process *p = a->p;
	struct thread_answers leader;
	struct proc_status st;
	struct proc_stat stat;
	struct other other;
	Thread m;
	int err;

	other.who.tid = 0;
	other.who.lost = NULL;
	wait_deadline(STEP_MS);	/* a page cache that is being written to flash can hold up the records */
	err = visit_finish(&a->visit, &a->program);
	if (err)
		return err;
	log_debug("its state: %zu threads", p->threads_n);
	if (IS_ON_SETTINGS && landlock_confines(&a->program, a->facts.landlock))
		return fail(EHOLDS, "it is confined by Landlock, or another security module: not supported");
	if (ARCH_HIDES_RESTART)
		a->p->no_sa_restart = ended_by(&a->facts, &a->program);
	leader = thread_answers(&a->program, &a->leader);
	err = proc_stat(p->pid, p->tid, &stat);
	if (!err)
		err = proc_status(p->pid, p->tid, &st);
	if (err)
		return fail_for(err, "its status");
	err = thread_see(&m, p->pid, p->tid, &st.credentials);
	if (err)
		return err;
	if (st.locked)
		err = visit_mlockall(&a->visit, &a->facts.mlockall);
	if (!err)
		err = save_state(s, p, &a->facts, &a->program, &st, &stat);
	if (!err)
		err = save_sigactions(s, &a->facts, &a->program);
	if (!err)
		err = save_stops(s, a);
	if (!err && IS_ON_MANY_FILES)
		err = cloexec_ask(s, &a->visit, p);
	if (!err)
		err = save_descriptors(s, p);
	if (!err && IS_ON_LOCKS)
		err = locks_save(s, p);
	if (!err)
		err = save_advice(s, p);
	if (!err && IS_ON_POSIX_TIMERS)
		err = posix_timers_save(s, &a->visit, p);
	if (!err)
		err = thread_save_pending(s, p->tid, true);
	for (size_t i = 1; !err && i < p->threads_n; i++) {
		if (i % 16 == 0)
			wait_deadline(STEP_MS);
		err = ask_other(s, p, &a->visit, &p->threads[i], &st.credentials, &other);
	}
	if (IS_ON_COPY_BEHIND)
		err = write_other(s, &other, err);
	if (!err && IS_ON_POSIX_TIMERS)
		posix_timers_tell(s);
	if (!err)
		err = timers_ask(s, &a->visit);
	if (!err)
		err = shared_ask(s, &a->visit, p);
	if (!err && IS_ON_CLOCKS)
		err = save_stop_since(s, a);
	if (!err)
		err = thread_save(s, &m, &a->visit.leader, &leader);
	return err || !p->leader_ended ? err : thread_save_ended(s, p);
}

static int leave(struct save *s, struct asked *a)
{
	(void)s;
	return visit_leave(&a->visit);
}

static int end(struct save *s, struct asked *a)
{
	int err = visit_end(&a->visit);

	(void)s;
	if (ARCH_HIDES_RESTART && !err)
		way_into_calls(a->p);
	return err;
}

/*
 * As in a relay, each process is one step behind the one before it: while one is on its way into a system call, which wakes
 * another processor, the tool is with the others.  Each writes its records in one step, so that they lie together.
 */
int state_save(struct save *s)
{
	static int (*const steps[])(struct save *s, struct asked *a) = {
		begin, enter, enter, ask, halt, write_records, leave, leave, end,
	};
	enum { STEPS = sizeof(steps) / sizeof(*steps) };
	CLEANUP_FREE struct asked *asked = calloc(STEPS, sizeof(*asked));	/* process i has number i % STEPS */
	int err = 0;

	if (!asked)
		return fail(ENOMEM, "out of memory");
	for (size_t first = 0; !err && first < s->tree.n + STEPS - 1; first++) {
		wait_deadline(STEP_MS);
		for (size_t k = STEPS; !err && k-- > 0;) {
			const size_t i = first - k;	/* beyond the last one when it would be before the first */
			struct asked *a = &asked[i % STEPS];

			if (i >= s->tree.n || s->tree.processes[i].zombie)
				continue;
			CONTEXT("pid %d (%s)", s->tree.processes[i].pid, s->tree.processes[i].comm);

			if (!k)
				*a = (struct asked){ 0 };
			a->p = &s->tree.processes[i];
			err = steps[k](s, a);
		}
	}
	for (size_t i = 0; err && i < STEPS; i++)
		(void)visit_end(&asked[i].visit);
	wait_deadline(0);
	return err;
}
