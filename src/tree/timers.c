/* SPDX-License-Identifier: MIT */
#include "tree/timers.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "kernel/timens.h"
#include "tree/clocks.h"
#include "tree/posix_timers.h"

enum { LOOKS_APART = 5000000, LOOKS_PART = 20 };	/* ns; of the time no more than this part is looked */

static const char A_TIMER[] = "a POSIX timer (timer_create): this tinyckpt was built without CONFIG_POSIX_TIMERS";
static const char UNTOLD[] = "a POSIX timer (timer_create), and this kernel does not tell what kind of timer (CONFIG_CHECKPOINT_RESTORE)";

void timers_find(struct save *s, struct process *p)
{
	char text[256];
	ssize_t len = proc_readf(text, sizeof(text), "/proc/%d/timers", p->tid);

	p->timers = len > 0;
	if (len > 0 && IS_ON_POSIX_TIMERS)
		posix_timers_check(s, p);
	else if (len > 0)
		obstacle(s, "%s", A_TIMER);
	else if (len == -ENOENT)
		s->timers_untold = true;
	else if (len < 0 && (!s->checking || len != -ESRCH))
		obstacle(s, "its timers cannot be read: %s", strerror((int)-len));
}

/*
 * Without the file (CONFIG_CHECKPOINT_RESTORE) a new one, gone again at once, tells how many there ever were: numbers count up
 * from 0 in each process.  All of them are then tried.
 */
enum { AT_ONCE = 128, NUMBERS_MAX = 8192 };

int timers_ask(struct save *s, struct visit *v)
{
	struct program p;
	int32_t last;
	long number;
	int made, err;

	if (!s->timers_untold)
		return 0;
	visit_program(v, v->pid, &p);
	number = program_data(&p, NULL, sizeof(number));
	made = program_call(&p, 0, SYS_timer_create, CLOCK_MONOTONIC, 0, number);
	program_call(&p, OP_INDIRECT << 0, SYS_timer_delete, number);
	err = visit_run(v, &p);
	if (err || program_result(&p, made) == -ENOSYS)
		return err;
	memcpy(&last, program_read(&p, number), sizeof(last));
	if (program_result(&p, made) < 0 || last > NUMBERS_MAX) {
		obstacle(s, "whether it has POSIX timers cannot be told (CONFIG_CHECKPOINT_RESTORE)");
		return -EHOLDS;
	}
	for (int32_t first = 0; first < last; first += AT_ONCE) {
		visit_program(v, v->pid, &p);
		for (int32_t i = first; i < last && i < first + AT_ONCE; i++)
			program_call(&p, 0, SYS_timer_getoverrun, i);
		err = visit_run(v, &p);
		for (int i = 0; !err && i < AT_ONCE && first + i < last; i++) {
			if (program_result(&p, i) >= 0) {
				obstacle(s, "%s", IS_ON_POSIX_TIMERS ? UNTOLD : A_TIMER);
				err = -EHOLDS;
			}
		}
		if (err)
			return err;
	}
	return 0;
}

/* A timer's signal, and when it was seen, in ns since the clocks stopped; 0: before. */
struct rung {
	pid_t tid;
	bool shared;
	int id;
	uint64_t at;
};

static bool of_timer(pid_t tid, bool shared, const siginfo_t *info, struct rung *rung)
{
	const bool alarm = info->si_signo == SIGALRM && info->si_code == SI_KERNEL;

	*rung = (struct rung){ tid, shared, alarm ? ALARM : info->si_timerid, 0 };
	return alarm || info->si_code == SI_TIMER;
}

/* Calls that for each that is pending, until it does not return 0, which is returned; or a negative errno. */
static int each_pending(pid_t tid, bool shared, int (*call)(void *arg, const struct rung *rung), void *arg)
{
	enum { PEEKED = 16 };
	siginfo_t infos[PEEKED];
	int n, ret = 0;

	for (uint64_t from = 0; !ret; from += PEEKED) {
		n = thread_pending(tid, shared, from, infos, PEEKED);
		for (int i = 0; !ret && i < n; i++) {
			struct rung rung;

			if (of_timer(tid, shared, &infos[i], &rung))
				ret = call(arg, &rung);
		}
		if (n < PEEKED)
			return n < 0 ? n : ret;
	}
	return ret;
}

static const struct rung *find(const struct save *s, const struct rung *like)
{
	const struct rung *r = (const struct rung *)(const void *)s->rung.data;

	for (size_t n = s->rung.len / sizeof(*r); n--; r++)
		if (r->tid == like->tid && r->shared == like->shared && r->id == like->id)
			return r;
	return NULL;
}

static int note(void *arg, const struct rung *rung)
{
	struct save *s = arg;
	struct rung new = *rung;

	if (s->still_since && find(s, rung))
		return 0;
	new.at = s->still_since ? (uint64_t)clocks_standstill(s) : 0;
	return buffer_append(&s->rung, &new, sizeof(new));
}

static int note_all(struct save *s)
{
	for (size_t i = 0; i < s->tree.n; i++) {
		const struct process *p = &s->tree.processes[i];
		int err = p->zombie ? 0 : each_pending(p->tid, true, note, s);

		for (size_t k = 0; !err && !p->zombie && k < p->threads_n; k++)
			err = each_pending(p->threads[k].tid, false, note, s);
		if (err)
			return fail_for(err, "pid %d: its pending signals", p->pid);
	}
	return 0;
}

int timers_stop(struct save *s)
{
	return note_all(s);
}

int save_look(struct save *s)
{
	const int64_t now = clock_now(CLOCK_MONOTONIC);
	int err;

	if (!IS_ON_CLOCKS || now < s->look_again)
		return 0;
	err = note_all(s);
	s->look_again = now + LOOKS_APART + LOOKS_PART * (clock_now(CLOCK_MONOTONIC) - now);
	return err;
}

bool timers_send_again(const struct save *s, pid_t tid, bool shared, const siginfo_t *info)
{
	struct rung rung;
	const struct rung *noted;

	if (!s->alarm || !of_timer(tid, shared, info, &rung) || rung.id != ALARM)
		return false;
	noted = find(s, &rung);
	return !noted || noted->at;
}

static int is_it(void *arg, const struct rung *rung)
{
	return rung->id == *(const int *)arg;
}

uint64_t timers_rang(const struct save *s, pid_t tid, bool shared, int id)
{
	const struct rung *noted = find(s, &(struct rung){ tid, shared, id, 0 });

	if (noted)
		return noted->at;
	return each_pending(tid, shared, is_it, &id) > 0 ? (uint64_t)clocks_standstill(s) : 0;
}
