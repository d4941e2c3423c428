/* SPDX-License-Identifier: MIT */
#include "tree/timer_signals.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"

enum {
	PENDING_MAX = 24,
	FIRST_QUEUED = 32,	/* the first signal of which several can be queued, except by timers */
	LOST_MAX = 8,
	TRIES = 4,
};

static size_t see_pending(pid_t tid, bool shared, siginfo_t *infos)
{
	const int n = thread_pending(tid, shared, 0, infos, PENDING_MAX);

	return n > 0 ? (size_t)n : 0;
}

static size_t count(const siginfo_t *infos, size_t n, int signo)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += infos[i].si_signo == signo;
	return found;
}

/* Those of that number are all of one timer. */
static bool of_one_timer(const siginfo_t *infos, size_t n, int signo)
{
	const siginfo_t *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (infos[i].si_signo != signo)
			continue;
		if (!first)
			first = &infos[i];
		if (infos[i].si_code != SI_TIMER || infos[i].si_timerid != first->si_timerid)
			return false;
	}
	return true;
}

/* May so many more signals be queued?  A timer's own needs no place, one like it does. */
static bool has_room(pid_t pid, size_t n)
{
	char text[4096], *line, *of;
	unsigned long taken;

	if (proc_readf(text, sizeof(text), "/proc/%d/status", pid) < 0 || !(line = strstr(text, "\nSigQ:")))
		return false;
	taken = strtoul(line + strlen("\nSigQ:"), &of, 10);
	return *of == '/' && strtoul(of + 1, NULL, 10) >= taken + n;
}

/* Takes one of the set to an address; where there is none, goes on so many operations behind the next two. */
static void add_take(struct program *p, long set, int signo, long to, long at_once, int further)
{
	const int take = program_call(p, 0, SYS_rt_sigtimedwait_time64, set, to, at_once, 8);

	program_call(p, OP_INDIRECT << 0, OP_JUMP_IF_EQUAL, program_at(p, take) + (long)offsetof(struct op, ret), signo,
		     program_at(p, take + 3));
	program_call(p, 0, OP_JUMP, program_at(p, take + 3 + further));
}

static void add_queue(struct program *p, pid_t pid, pid_t tid, int signo, long info)
{
	if (tid)
		program_call(p, 0, SYS_rt_tgsigqueueinfo, pid, tid, signo, info);
	else
		program_call(p, 0, SYS_rt_sigqueueinfo, pid, signo, info);
}

/* The thread takes so many signals of that number, and queues each again behind the others. */
static void add_turns(struct program *p, pid_t pid, pid_t tid, int signo, size_t n)
{
	const uint64_t set = 1ULL << (signo - 1);
	const long which = program_data(p, &set, sizeof(set)), info = program_data(p, NULL, sizeof(siginfo_t));
	const long at_once = program_data(p, NULL, sizeof(struct kernel_timespec));

	while (n--) {
		add_take(p, which, signo, info, at_once, 1);
		add_queue(p, pid, tid, signo, info);
	}
}

/* Where a program has what it merges. */
struct merge {
	int signo;
	long set, info, next, plus, at_once;
};

static struct merge merge_data(struct program *p, int signo, const siginfo_t *info)
{
	const uint64_t set = 1ULL << (signo - 1);
	const int plus = 1;

	return (struct merge){
		signo, program_data(p, &set, sizeof(set)), program_data(p, info, sizeof(*info)), program_data(p, NULL, sizeof(*info)),
		program_data(p, &plus, sizeof(plus)), program_data(p, NULL, sizeof(struct kernel_timespec)),
	};
}

/* Takes one, if there is any, and adds it to what was taken. */
enum { ONE_MORE = 5 };	/* operations */
static void add_one_more(struct program *p, const struct merge *m)
{
	const long overrun = (long)offsetof(siginfo_t, si_overrun);

	add_take(p, m->set, m->signo, m->next, m->at_once, 2);
	program_call(p, 0, OP_ADD, m->info + overrun, m->next + overrun);
	program_call(p, 0, OP_ADD, m->info + overrun, m->plus);
}

/* The thread takes so many signals of that number, all of one timer, and queues one for all. */
static void add_merged(struct program *p, pid_t pid, pid_t tid, int signo, size_t n)
{
	const struct merge m = merge_data(p, signo, NULL);

	add_take(p, m.set, signo, m.info, m.at_once, ONE_MORE * (int)--n + 1);
	while (n--)
		add_one_more(p, &m);
	add_queue(p, pid, tid, signo, m.info);
}

/*
 * The same for one that was taken before.  The timer is stopped for as long as that takes, so that it does not end in between: by
 * then it goes on as late as this, which for one that ends every few microseconds is nothing to tell.
 */
static void add_again(struct program *p, pid_t pid, pid_t tid, const siginfo_t *taken)
{
	const struct merge m = merge_data(p, taken->si_signo, taken);
	const long none = program_data(p, NULL, sizeof(struct kernel_itimerspec));
	const long was = program_data(p, NULL, sizeof(struct kernel_itimerspec));

	add_one_more(p, &m);	/* of one that is stopped, the kernel does not tell how often it ended */
	program_call(p, 0, SYS_timer_settime64, (long)taken->si_timerid, 0, none, was);
	add_one_more(p, &m);
	add_queue(p, pid, tid, m.signo, m.info);
	program_call(p, 0, SYS_timer_settime64, (long)taken->si_timerid, 0, was, 0);
}

void timer_signals_settle(struct save *s, const struct process *p, pid_t tid, bool shared, struct program *prog)
{
	siginfo_t infos[PENDING_MAX], own[PENDING_MAX];
	const size_t own_n = p->timers && shared ? see_pending(tid, false, own) : 0;
	const size_t n = p->timers ? see_pending(tid, shared, infos) : 0;

	if (!n)
		return;
	if (n == PENDING_MAX || own_n == PENDING_MAX || !has_room(p->tid, n)) {
		s->unsettled = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const int signo = infos[i].si_signo;
		const size_t all = count(infos, n, signo);
		const bool merge = signo < FIRST_QUEUED;
		bool seen = infos[i].si_code != SI_TIMER;

		for (size_t k = 0; !seen && k < i; k++)
			seen = infos[k].si_code == SI_TIMER && infos[k].si_signo == signo;
		if (seen)
			continue;
		/* a thread's own come first */
		if (count(own, own_n, signo) || (merge && !of_one_timer(infos, n, signo)) ||
		    !program_fits(prog, ONE_MORE * all, 2 * sizeof(siginfo_t) + 64 + VISIT_STAY))
			s->unsettled = true;
		else if (merge)
			add_merged(prog, p->pid, shared ? 0 : tid, signo, all);
		else
			add_turns(prog, p->pid, shared ? 0 : tid, signo, all);
	}
}

/* --- a timer that ends in between: of what others send only one is queued, and the kernel does not say that it was dropped --- */

struct lost {
	bool shared;
	siginfo_t is;
};

static bool is_queued(pid_t tid, const struct lost *l)
{
	siginfo_t infos[PENDING_MAX];
	size_t n = see_pending(tid, l->shared, infos);

	while (n--)
		if (infos[n].si_signo == l->is.si_signo && infos[n].si_code == SI_TIMER && infos[n].si_timerid == l->is.si_timerid &&
		    infos[n].si_overrun == l->is.si_overrun)
			return true;
	return false;
}

/* Those that a program was to queue, and that are not there.  One that tells of nothing else is like the one that came before it. */
static size_t find_lost(pid_t tid, const struct program *prog, struct lost *lost)
{
	size_t n = 0;

	for (size_t i = 0; i < prog->ops && n < LOST_MAX; i++) {
		const struct op *op = &program_ops(prog)[i];
		const bool shared = op->nr == SYS_rt_sigqueueinfo;
		const long *arg = op->arg + !shared;

		if ((!shared && op->nr != SYS_rt_tgsigqueueinfo) || arg[1] >= FIRST_QUEUED ||
		    (unsigned long)arg[2] - prog->base > prog->size - sizeof(lost[n].is))
			continue;
		lost[n].shared = shared;
		memcpy(&lost[n].is, program_read(prog, arg[2]), sizeof(lost[n].is));
		n += lost[n].is.si_signo == arg[1] && lost[n].is.si_overrun > 0 && !is_queued(tid, &lost[n]);
	}
	return n;
}

/* Once more, with the one that came before. */
static int queue_again(struct visit *v, const struct process *p, const struct thread *thread, struct lost *l)
{
	const pid_t tid = thread ? thread->tid : v->pid;
	struct lost now[LOST_MAX];
	struct program prog;
	int err = thread ? visit_thread_begin(v, thread) : 0;

	if (err)
		return err;
	visit_program(v, tid, &prog);
	add_again(&prog, p->pid, l->shared ? 0 : tid, &l->is);
	err = thread ? visit_thread_start(v, &prog) : visit_run(v, &prog);
	if (!err && thread)
		err = visit_thread_halt(v, &prog);
	if (!err && thread)
		err = visit_thread_end(v, &prog);
	if (err)
		return err;
	if (find_lost(tid, &prog, now))
		*l = now[0];
	else
		l->is.si_signo = 0;
	return 0;
}

int timer_signals_settled(struct save *s, struct visit *v, const struct process *p, const struct thread *thread,
			  const struct program *prog)
{
	struct lost lost[LOST_MAX];
	const size_t n = find_lost(thread ? thread->tid : v->pid, prog, lost);
	const struct visitor was = v->thread;
	int err = 0;

	if (!n)
		return 0;
	v->thread.lost = NULL;
	for (size_t i = 0; !err && i < n; i++) {
		for (int tries = 0; !err && lost[i].is.si_signo && tries < TRIES; tries++)
			err = queue_again(v, p, thread, &lost[i]);
		if (lost[i].is.si_signo)
			s->unsettled = true;
	}
	if (err) {		/* it may be on its way, and is to be led home */
		free(was.lost);
		return err;
	}
	free(v->thread.lost);
	v->thread = was;
	return 0;
}
