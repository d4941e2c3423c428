/* SPDX-License-Identifier: MIT */
#include "tree/posix_timers.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "kernel/timens.h"
#include "tree/clocks.h"
#include "tree/reborn.h"
#include "tree/records.h"
#include "tree/timer_signals.h"
#include "tree/timers.h"

/* Before Linux 6.15 IDs count up in each process, whatever was deleted: to get one again, all before it are made and deleted. */
enum { COUNTED_MAX = 1 << 20 };

static bool ids_are_asked_for(void)
{
	return syscall(SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, TIMER_RESTORE_IDS_GET, 0, 0, 0) >= 0;
}

/* --- what the kernel tells --- */

static const char *behind(const char *text, const char *start)
{
	const size_t len = strlen(start);

	return strncmp(text, start, len) ? NULL : text + len;
}

/* "signal/tid.42" */
static bool parse_notify(const char *text, Timer *m)
{
	static const char *const kinds[] = { [SIGEV_SIGNAL] = "signal/", [SIGEV_NONE] = "none/", [SIGEV_THREAD] = "thread/" };
	const char *whom = NULL, *tid;

	for (m->notify = 0; m->notify < sizeof(kinds) / sizeof(*kinds); m->notify++)
		if ((whom = behind(text, kinds[m->notify])))
			break;
	tid = whom ? behind(whom, "tid.") : NULL;
	if (tid)
		m->tid = (uint32_t)strtoul(tid, NULL, 10);
	return tid ? m->tid != 0 : whom && behind(whom, "pid.");
}

/* One of the four lines of each timer (show_timer() of fs/proc/base.c).  *seen: which of them came. */
static bool parse(const char *line, Timer *m, unsigned int *seen)
{
	static const char *const names[] = { "ID: ", "signal: ", "notify: ", "ClockID: " };
	const char *value = NULL;
	size_t n = 0;
	char *end;

	while (n < sizeof(names) / sizeof(*names) && !(value = behind(line, names[n])))
		n++;
	if (!value)
		return true;
	if (n == 0)
		*m = (Timer)Timer_init_zero;
	*seen = n == 0 ? 1 : *seen | 1U << n;
	switch (n) {
	case 0:
		m->id = (uint32_t)strtoul(value, &end, 10);
		return end != value && m->id <= INT32_MAX;
	case 1:
		m->signal = (int32_t)strtol(value, &end, 10);
		m->sigval = *end ? strtoull(end + 1, NULL, 16) : 0;
		return *end == '/';
	case 2:
		return parse_notify(value, m);
	default:
		m->clock = (int32_t)strtol(value, &end, 10);
		return end != value;
	}
}

/* A timer of the process at hand; save.timers has them. */
struct known_timer {
	Timer is;
	int64_t end;		/* when it ends next, by our CLOCK_MONOTONIC; 0: it does not, or by no such clock */
};

static int compare(const void *a, const void *b)
{
	const struct known_timer *x = a, *y = b;

	return x->is.id < y->is.id ? -1 : x->is.id > y->is.id;
}

/* All of a process, by ascending IDs.  0 or a negative errno, unsaid. */
static int collect(pid_t pid, struct buffer *timers)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	char path[32];
	struct known_timer t = { 0 };
	unsigned int seen = 0;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/timers", pid);
	err = proc_read_all(path, &text);
	for (char *line = (char *)text.data, *end; !err && *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			return -EPROTO;
		*end = '\0';
		if (!parse(line, &t.is, &seen))
			return -EPROTO;
		if (seen != 15)
			continue;
		err = buffer_append(timers, &t, sizeof(t));
		seen = 0;
	}
	if (timers->len)
		qsort(timers->data, timers->len / sizeof(t), sizeof(t), compare);
	return err ? err : seen ? -EPROTO : 0;
}

static bool has_thread(const struct process *p, uint32_t tid)
{
	for (size_t i = 0; i < p->threads_n; i++)
		if (p->threads[i].tid == (pid_t)tid)
			return true;
	return false;
}

static bool has_time_of_day(int32_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == CLOCK_TAI;
}

/*
 * Whose processor time?  As include/linux/posix-timers_types.h has it: two bits for what counts, one for a thread's, above them
 * the inverse of its number, of which 0 is the one that made the timer.  NULL: its own; else why it cannot be saved.
 */
static const char *foreign(const struct process *p, int32_t clock)
{
	const bool thread = clock & 4;
	const uint32_t who = ~((uint32_t)clock >> 3 | 7U << 29);

	if (clock >= 0 || (clock & 3) == 3)
		return "it measures by a clock that is not known";
	if (!who && thread && (p->threads_n > 1 || p->leader_ended))
		return "which thread's processor time it measures the kernel does not tell";
	if (who && (thread ? !has_thread(p, who) : who != (uint32_t)p->pid))
		return "it measures the processor time of another process, or of a thread that has ended";
	return NULL;
}

void posix_timers_check(struct save *s, const struct process *p)
{
	CLEANUP_BUFFER struct buffer timers = { 0 };
	const int err = collect(p->tid, &timers);
	const struct known_timer *t = (const struct known_timer *)(const void *)timers.data;

	if (err && (!s->checking || err != -ESRCH))
		obstacle(s, "its timers cannot be read: %s", strerror(-err));
	for (size_t n = timers.len / sizeof(*t); !err && n--; t++) {
		const Timer *m = &t->is;
		const char *why = has_time_of_day(m->clock) ? NULL : foreign(p, m->clock);

		if (!why && m->tid && !has_thread(p, m->tid))
			why = "its signals are for a thread that has ended";
		if (!why && m->id > COUNTED_MAX && !ids_are_asked_for())
			why = "this kernel gives no such ID again (Linux 6.15 does)";
		if (why)
			obstacle(s, "timer %u (timer_create): %s: not supported", m->id, why);
	}
}

/* --- what the process tells --- */

enum { AT_ONCE = 48 };

struct answer {
	struct kernel_itimerspec time;
	struct kernel_timespec now;
};

static uint64_t to_ns(const struct kernel_timespec *t)
{
	const uint64_t ns = (uint64_t)t->sec * 1000000000 + (uint64_t)t->nsec;

	return ns > TIME_MAX / 2 ? TIME_MAX / 2 : ns;
}

/* Time has run on since all stood still, and is counted from there when the tree goes on; what has ended for good since ends again. */
static void take(const struct save *s, const struct process *p, struct known_timer *t, const struct answer *a)
{
	Timer *m = &t->is;
	uint64_t rang = 0;

	m->remains = to_ns(&a->time.value);
	m->interval = to_ns(&a->time.interval);
	if (!IS_ON_CLOCKS || !has_time_of_day(m->clock))
		return;
	if (!m->remains && !s->unsettled)
		rang = timers_rang(s, m->tid ? (pid_t)m->tid : p->tid, !m->tid, (int)m->id);
	if (!m->remains && !rang)
		return;
	m->remains += rang ? rang : to_ns(&a->now) - (uint64_t)s->still_theirs;
	t->end = s->still_since + (int64_t)m->remains;
}

static int settle(struct save *s, struct visit *v, const struct process *p)
{
	struct program prog;
	int err;

	visit_program(v, v->pid, &prog);
	timer_signals_settle(s, p, p->tid, false, &prog);
	timer_signals_settle(s, p, p->tid, true, &prog);
	if (!prog.ops)
		return 0;
	err = visit_run(v, &prog);
	return err ? err : timer_signals_settled(s, v, p, NULL, &prog);
}

/* What remains is known as of a time only if that was asked about then: nobody had the processor for long in between. */
static bool was_held_up(const struct program *prog, long before, const long *at, size_t n)
{
	enum { ABOUT = 1000000 };	/* ns */
	uint64_t last = to_ns(program_read(prog, before));

	for (size_t i = 0; i < n; i++) {
		const uint64_t now = to_ns(&((const struct answer *)program_read(prog, at[i]))->now);

		if (now - last > ABOUT)
			return true;
		last = now;
	}
	return false;
}

static int ask(struct save *s, struct visit *v, const struct process *p, size_t first)
{
	struct known_timer *t = (struct known_timer *)(void *)s->timers.data + first;
	const size_t left = s->timers.len / sizeof(*t) - first, n = left < AT_ONCE ? left : AT_ONCE;
	struct program prog;
	int gettime[AT_ONCE], err, tries = 100;
	long before, at[AT_ONCE];

	do {
		visit_program(v, v->pid, &prog);
		before = program_data(&prog, NULL, sizeof(struct kernel_timespec));
		program_call(&prog, 0, SYS_clock_gettime64, CLOCK_MONOTONIC, before);
		for (size_t i = 0; i < n; i++) {
			at[i] = program_data(&prog, NULL, sizeof(struct answer));
			gettime[i] = program_call(&prog, 0, SYS_timer_gettime64, (long)t[i].is.id, at[i]);
			program_call(&prog, 0, SYS_clock_gettime64, CLOCK_MONOTONIC, at[i] + (long)offsetof(struct answer, now));
		}
		err = visit_run(v, &prog);
	} while (!err && was_held_up(&prog, before, at, n) && tries--);
	for (size_t i = 0; !err && i < n; i++) {
		const long result = program_result(&prog, gettime[i]);

		if (result < 0)
			return fail_for((int)result, "timer %u: what remains of it", t[i].is.id);
		take(s, p, &t[i], program_read(&prog, at[i]));
		err = SAVE_RECORD(s, RECORD_TIMER, Timer_fields, &t[i].is, NULL, 0);
	}
	return err;
}

static bool has_periodic(const struct buffer *timers)
{
	const struct known_timer *t = (const struct known_timer *)(const void *)timers->data;
	size_t n = timers->len / sizeof(*t);

	while (n && !t[n - 1].is.interval)
		n--;
	return n;
}

int posix_timers_save(struct save *s, struct visit *v, const struct process *p)
{
	int err;

	s->timers.len = 0;
	s->unsettled = false;
	err = p->timers ? collect(p->tid, &s->timers) : 0;
	if (err)
		return fail_for(err, "its timers");
	if (s->timers.len)
		err = settle(s, v, p);
	for (size_t first = 0; !err && first < s->timers.len / sizeof(struct known_timer); first += AT_ONCE)
		err = ask(s, v, p, first);
	return err;
}

void posix_timers_tell(const struct save *s)
{
	if (s->unsettled && has_periodic(&s->timers))
		log_warning("how often its timers have ended meanwhile cannot be told: some of their signals count as one end");
}

bool posix_timers_send_again(struct save *s, const siginfo_t *info, int64_t now)
{
	struct known_timer *t = (struct known_timer *)(void *)s->timers.data;

	for (size_t n = s->timers.len / sizeof(*t); info->si_code == SI_TIMER && !info->si_overrun && n--; t++) {
		if (t->is.id != (uint32_t)info->si_timerid || !t->end || t->end > now || s->unsettled)
			continue;
		t->end = 0;
		return true;
	}
	return false;
}

/* --- restore --- */

struct noted_timer {
	Timer is;
	uint64_t fired;		/* so often it has ended, of which no signal was taken yet */
};

int posix_timer_sound(const Timer *m, uint32_t *next)
{
	if (m->id < *next || m->id > INT32_MAX || m->remains > TIME_MAX || m->interval > TIME_MAX || m->notify > SIGEV_THREAD || m->tid > 4194304)
		return fail(EIMAGE, "timer %u: absurd, or not in its place", m->id);
	*next = m->id + 1;
	return 0;
}

int posix_timer_possible(const Timer *m)
{
	return m->id <= COUNTED_MAX || ids_are_asked_for() ? 0 : fail(EIMAGE, "timer %u: this kernel gives no such ID (Linux 6.15 does)", m->id);
}

/* Creates it under its ID. */
static void add_create(struct program *p, const Timer *m)
{
	const struct kernel_sigevent event = {
		.value = (unsigned long)m->sigval, .signo = m->signal,
		.notify = (int)m->notify | (m->tid ? SIGEV_THREAD_ID : 0), .tid = (int32_t)m->tid,
	};
	const bool asked = ids_are_asked_for();
	const long wanted = (long)m->id, got = program_data(p, &wanted, sizeof(wanted)), about = program_data(p, &event, sizeof(event));
	int create;

	if (asked)
		program_call(p, OP_MUST, SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, TIMER_RESTORE_IDS_ON);
	create = program_call(p, OP_MUST, SYS_timer_create, m->clock, about, got);
	if (asked) {
		program_call(p, OP_MUST, SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, TIMER_RESTORE_IDS_OFF);
		return;
	}
	program_call(p, OP_INDIRECT << 0, OP_JUMP_IF_EQUAL, got, wanted, program_at(p, create + 4));
	program_call(p, OP_MUST | OP_INDIRECT << 0, SYS_timer_delete, got);
	program_call(p, 0, OP_JUMP, program_at(p, create));
}

/* A moment of which clock is it until?  0: of none, it is a time. */
static int64_t counts_from(const struct restore *r, const Timer *m)
{
	if (!IS_ON_CLOCKS || (m->clock != CLOCK_MONOTONIC && m->clock != CLOCK_BOOTTIME))
		return 0;
	return m->clock == CLOCK_BOOTTIME ? r->began.boottime : r->began.monotonic;
}

/*
 * Until the same moment of the tree's clock.  Where it may be another moment of another clock, so long: a timer of CLOCK_REALTIME
 * that was set to a time of day is none of its own any more.
 */
static void add_settime(const struct restore *r, struct program *p, const struct noted_timer *t)
{
	const int64_t from = counts_from(r, &t->is), interval = (int64_t)t->is.interval;
	const int64_t end = from + (int64_t)t->is.remains - (int64_t)t->fired * interval;
	const struct kernel_itimerspec time = {
		.value = { end / 1000000000, end % 1000000000 }, .interval = { interval / 1000000000, interval % 1000000000 },
	};

	if (t->is.remains)
		program_call(p, OP_MUST, SYS_timer_settime64, (long)t->is.id, from ? TIMER_ABSTIME : 0, program_data(p, &time, sizeof(time)), 0);
}

int posix_timers_note(struct restore *r, const struct record *rec)
{
	struct noted_timer new = { 0 };
	int err = !r->settled || !r->pid ? fail(EIMAGE, "a timer of no process") : record_decode(rec, Timer_fields, &new.is);

	if (!err)
		err = posix_timer_sound(&new.is, &r->next_timer);
	if (!err)
		err = posix_timer_possible(&new.is);
	if (!err && buffer_append(&r->timers, &new, sizeof(new)))
		err = fail(ENOMEM, "out of memory");
	return err;
}

bool posix_timers_take_back(struct restore *r, const siginfo_t *info)
{
	struct noted_timer *t = (struct noted_timer *)(void *)r->timers.data;
	size_t n = r->timers.len / sizeof(*t);
	const uint64_t times = info->si_overrun < 0 ? 1 : (uint64_t)info->si_overrun + 1;
	int64_t end;

	while (n && t->is.id != (uint32_t)info->si_timerid) {
		n--;
		t++;
	}
	if (!n || info->si_code != SI_TIMER || !t->is.remains || !t->is.interval)
		return false;
	end = counts_from(r, &t->is) + (int64_t)t->is.remains;
	if (end <= (int64_t)t->is.remains || t->fired + times > (uint64_t)(end - 1) / t->is.interval)
		return false;
	t->fired += times;
	return true;
}

int posix_timers_make(struct restore *r, pid_t tid)
{
	static const char what[] = "its timers";
	const struct noted_timer *t = (const struct noted_timer *)(const void *)r->timers.data;
	struct program p;
	int err = 0;

	reborn_program(r, &p);
	for (size_t n = r->timers.len / sizeof(*t); !err && n--; t++) {
		err = reborn_room(r, tid, &p, 5, 256, what);
		if (err)
			return err;
		add_create(&p, &t->is);
		add_settime(r, &p, t);
	}
	r->timers.len = 0;
	return reborn_run(r, tid, &p, what);
}
