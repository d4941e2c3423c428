/* SPDX-License-Identifier: MIT */
#include "verify.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "image/machine.h"
#include "job/world.h"
#include "kernel/abi.h"
#include "kernel/mm_fields.h"
#include "kernel/procfs.h"
#include "objects/object.h"
#include "pages.pb.h"
#include "thread.pb.h"
#include "tree/clocks.h"
#include "tree/lists.h"
#include "tree/locks.h"
#include "tree/own.h"
#include "tree/pids.h"
#include "tree/posix_timers.h"
#include "tree/records.h"
#include "tree/settings.h"
#include "tree/vdso.h"
#include "vma.pb.h"

/* In all, for the dead; restore waits as long. */
enum { NUMBER_WAIT_MS = 3000 };

struct verified {
	uint32_t pid, threads, seen;	/* threads: as promised, and those that came */
	uint32_t before;		/* as in struct born */
	bool zombie, have_state;
};

static int append(struct buffer *b, const void *from, size_t len)
{
	return buffer_append(b, from, len) ? fail(ENOMEM, "out of memory") : 0;
}

static struct verified *find(const struct verify *v, uint32_t pid)
{
	struct verified *p = (struct verified *)(void *)v->processes.data;
	uint32_t i = v->process_box[pid % 64u];

	while (i && p[i - 1].pid != pid)
		i = p[i - 1].before;
	return i ? &p[i - 1] : NULL;
}

/* --- first part --- */

static int on_header(struct verify *v, const struct record *rec)
{
	Header m;
	int err = record_decode(rec, Header_fields, &m);

	if (err)
		return err;
	if (v->page_size || !m.page_size || m.page_size & (m.page_size - 1) || m.page_size > 1 << 20)
		return fail(EIMAGE, "its header is absurd, or doubled");
	v->page_size = m.page_size;
	err = v->here ? machine_compare(&m) : 0;
	if (err)
		verify_note(v, err);
	return 0;
}

static int on_tree(struct verify *v, const struct record *rec)
{
	int err = v->tree.root || !v->page_size ? fail(EIMAGE, "the description of the tree is not in its place")
						: record_decode(rec, Tree_fields, &v->tree);

	if (!err && (!v->tree.root || v->tree.highest_fd > 1u << 24 || v->tree.gap_start >= v->tree.gap_end ||
		     v->tree.gap_end > ARCH_TASK_SIZE))
		err = fail(EIMAGE, "the description of the tree is absurd");
	return err;
}

static int on_clocks(struct verify *v, const struct record *rec)
{
	struct two_clocks lack;
	Clocks m;
	bool own;
	int err = v->last_id || v->processes.len ? fail(EIMAGE, "the clocks are not in their place")
						 : record_decode(rec, Clocks_fields, &m);

	if (!err)
		err = clocks_look(&m, false, &own, &lack);
	if (!err && v->here && !v->root)
		clocks_tell(&lack);
	return err;
}

/* All that it tells comes once more, in its place. */
static int on_pids(struct verify *v, const struct record *rec)
{
	(void)rec;
	return v->processes.len ? fail(EIMAGE, "the process IDs are not in their place") : 0;
}

/* What comes is of another process. */
static void end_memory(struct verify *v)
{
	ranges_clear(&v->mappings);
	v->memory = (struct verify_memory){ 0 };
}

static int on_process(struct verify *v, const struct record *rec)
{
	Process m;
	struct verified new;
	int err = record_decode(rec, Process_fields, &m);

	if (err)
		return err;
	end_memory(v);
	new = (struct verified){ .pid = m.pid, .threads = m.threads, .zombie = m.zombie, .before = v->process_box[m.pid % 64u] };
	if (v->states)
		return fail(EIMAGE, "a process among the states");
	if (!m.pid || m.pid > 4194304 || find(v, m.pid))
		return fail(EIMAGE, "process %u: an absurd number, or doubled", m.pid);
	if (v->processes.len ? !find(v, m.parent) : m.parent || m.pid != v->tree.root)
		return fail(EIMAGE, "process %u: its parent %u does not come before it", m.pid, m.parent);
	if (v->here && !v->processes.len && m.sid != m.pid && (pid_t)m.sid != getsid(0))
		err = append(&v->tids, &m.sid, sizeof(m.sid));	/* its leader lives again for a moment */
	if (!err && m.zombie)
		err = append(&v->tids, &m.pid, sizeof(m.pid));
	v->pid = m.pid;
	v->found.processes++;
	if (!err)
		err = append(&v->processes, &new, sizeof(new));
	if (!err)
		v->process_box[m.pid % 64u] = (uint32_t)(v->processes.len / sizeof(new));
	return err;
}

static int on_session(struct verify *v, const struct record *rec)
{
	Session m;
	int err = record_decode(rec, Session_fields, &m);

	if (err)
		return err;
	if (v->states || !m.sid || m.sid > 4194304 || !find(v, m.under) || (m.adopted_by && !find(v, m.adopted_by)) ||
	    m.member_count != m.parent_count || m.member_count != m.member_exit_signal_count)
		return fail(EIMAGE, "session %u: absurd, or not in its place", m.sid);
	for (size_t i = 0; i < m.member_count; i++)
		if (!m.member[i] || m.member[i] > 4194304 || find(v, m.member[i]) || !find(v, m.parent[i]))
			return fail(EIMAGE, "session %u: its member %u is absurd, or its parent %u does not come before it", m.sid,
				    m.member[i], m.parent[i]);
	if (!v->here || find(v, m.sid) || m.adopted_by || (pid_t)m.sid == getsid(0))
		return 0;
	return append(&v->tids, &m.sid, sizeof(m.sid));	/* its leader lives again for a moment */
}

/* The root's, which is another than this kernel's; the image holds it since others can stand in for it. */
static void verify_vdso(struct verify *v, const struct record *rec)
{
	int err = 0;

	if (!IS_ON_VDSO_PROXY)
		err = fail(EIMAGE, "this kernel's vDSO is another than the image's: built without CONFIG_VDSO_PROXY");
	else if (!rec->body_len)
		err = fail(EIMAGE, "this kernel's vDSO is another than the image's, which does not hold its own");
	else
		err = vdso_check(rec->body, rec->body_len);
	if (err)
		verify_note(v, err);
}

static int on_vma(struct verify *v, const struct record *rec)
{
	struct range new;
	Vma m;
	int err = record_decode(rec, Vma_fields, &m);

	if (err)
		return err;
	new = (struct range){ m.start, m.end };
	if (m.start >= m.end || m.end > ARCH_TASK_SIZE || (m.start | m.end | m.pgoff) % v->page_size ||
	    m.kind > VmaKind_VDSO || m.prot & ~(7U | ARCH_PROT_BTI | ARCH_PROT_TAGS) ||
	    (m.start < v->tree.gap_end && m.end > v->tree.gap_start) || v->memory.end > m.start || v->memory.pages_end)
		return fail(EIMAGE, "process %u: mapping %" PRIx64 "-%" PRIx64 ": absurd, or not in order", v->pid, m.start, m.end);
	if (m.kind == VmaKind_FILE_BACKED && !verify_known(v, m.file))
		return fail(EIMAGE, "process %u: mapping %" PRIx64 "-%" PRIx64 ": no file %u", v->pid, m.start, m.end, m.file);
	if (m.huge & (m.huge - 1) || (m.huge && m.huge < v->page_size))
		return fail(EIMAGE, "process %u: mapping %" PRIx64 "-%" PRIx64 ": an absurd page size", v->pid, m.start, m.end);
	if (m.kind == VmaKind_FILE_BACKED && m.prot & PROT_EXEC)
		verify_executed(v, m.file, false);
	if (m.inherited && v->pid == v->tree.root)
		return fail(EIMAGE, "process %u: mapping %" PRIx64 "-%" PRIx64 ": inherited from nobody", v->pid, m.start, m.end);
	if (v->here && !v->root && m.kind == VmaKind_VDSO && v->pid == v->tree.root && !strcmp(m.name, "[vdso]") && !m.spare &&
	    (m.end - m.start != own_vdso_len() || !own_same_vdso(m.end - m.start, m.crc)))
		verify_vdso(v, rec);
	v->memory.end = m.end;
	return ranges_add(&v->mappings, &new, sizeof(new)) ? fail(ENOMEM, "out of memory") : 0;
}

static bool next_mapping(struct verify *v)
{
	v->memory.from = v->memory.here.end;
	return ranges_next(&v->mappings, &v->memory.at, &v->memory.here, sizeof(v->memory.here));
}

/* Is all of it mapped, be it by several mappings in a row?  Most are asked for in order. */
static bool is_mapped(struct verify *v, uint64_t start, uint64_t end)
{
	struct range *here = &v->memory.here;

	if (start < v->memory.from) {
		v->memory.at = (struct ranges_at){ 0 };
		*here = (struct range){ 0 };
	}
	while (here->end <= start)
		if (!next_mapping(v))
			return false;
	while (here->start <= start && here->end < end) {
		start = here->end;
		if (!next_mapping(v))
			return false;
	}
	return here->start <= start;
}

static int check_run(struct verify *v, uint64_t start, uint64_t end)
{
	if (start >= end || start % v->page_size || end % v->page_size || !is_mapped(v, start, end))
		return fail(EIMAGE, "process %u: pages at %" PRIx64 " to %" PRIx64 " lie in no mapping", v->pid, start, end);
	return 0;
}

static int on_pages(struct verify *v, const struct record *rec)
{
	Pages m;
	uint64_t total = 0;
	int err = record_decode(rec, Pages_fields, &m);

	if (err)
		return err;
	if (m.process != v->pid || m.start_count != m.count_count || !m.start_count || m.page_shift > 20 ||
	    1ULL << m.page_shift != v->page_size)
		return fail(EIMAGE, "pages of process %u: not in their place", m.process);
	for (size_t i = 0; !err && i < m.start_count; i++) {
		struct range new;

		if (m.start[i] > ARCH_TASK_SIZE >> m.page_shift)
			return fail(EIMAGE, "pages of process %u: an absurd place", m.process);
		new = (struct range){ m.start[i] << m.page_shift, (m.start[i] + m.count[i]) << m.page_shift };
		total += m.count[i];
		err = check_run(v, new.start, new.end);
		if (!err && new.start < v->memory.pages_end)
			err = fail(EIMAGE, "process %u: pages at %" PRIx64 " come twice, or not in order", v->pid, new.start);
		v->memory.pages_end = new.end;
	}
	if (!err && total << m.page_shift != rec->body_len)
		err = fail(EIMAGE, "pages of process %u: %u bytes where %" PRIu64 " were promised", m.process, rec->body_len,
			   total << m.page_shift);
	v->found.pages_stored += total;
	return err;
}

static int on_runs(struct verify *v, const struct record *rec)
{
	Runs m;
	int err = lists_runs(rec, &m);

	for (size_t i = 0; !err && i < m.start_count; i++)
		err = check_run(v, m.start[i], m.end[i]);
	return err;
}

static int on_tags(struct verify *v, const struct record *rec)
{
	Tags m;
	int err = record_decode(rec, Tags_fields, &m);

	if (!err && (m.process != v->pid || m.start >= ARCH_TASK_SIZE || rec->body_len != v->page_size / ARCH_TAG_BYTES / 2))
		err = fail(EIMAGE, "tags of process %u: not in their place", m.process);
	return err ? err : check_run(v, m.start, m.start + v->page_size);
}

/* --- second part --- */

static int end_state(struct verify *v)
{
	const struct verified *p = v->states ? find(v, v->pid) : NULL;

	if (!p)
		return 0;
	if (p->seen != p->threads || v->tid != v->pid)
		return fail(EIMAGE, "process %u: %u of its %u threads are there, or its main thread is not the last", p->pid, p->seen,
			    p->threads);
	return 0;
}

static int on_state(struct verify *v, const struct record *rec)
{
	State m;
	struct verified *p;
	int err = record_decode(rec, State_fields, &m);

	if (!err)
		err = v->states ? end_state(v) : 0;
	if (err)
		return err;
	v->states = true;
	p = find(v, m.pid);
	if (!p || p->zombie || rec->body_len > MM_AUXV_MAX)
		return fail(EIMAGE, "state of process %u: absurd, or there is no such process", m.pid);
	if (!verify_known(v, m.exe) || !verify_known(v, m.cwd) || !verify_known(v, m.root))
		return fail(EIMAGE, "state of process %u: its program or directories are not in the image", m.pid);
	verify_executed(v, m.exe, true);
	p->have_state = true;
	v->pid = m.pid;
	v->tid = v->next_timer = 0;
	return 0;
}

static int on_advice(struct verify *v, const struct record *rec)
{
	Advice m;
	int err = record_decode(rec, Advice_fields, &m);

	if (!err && m.start >= m.end)
		err = fail(EIMAGE, "advice: absurd");
	if (!err && v->here && !v->root && m.advice == ADVICE_SEAL && syscall(SYS_mseal, 0, 0, 0))
		verify_note(v, fail_errno("process %u: sealed memory (mseal)", v->pid));
	return err;
}

static int on_stop(struct verify *v, const struct record *rec)
{
	Stop m;
	int err = record_decode(rec, Stop_fields, &m);

	return !err && !find(v, m.pid) ? fail(EIMAGE, "a stop of process %u: there is no such process", m.pid) : err;
}

static int on_sigactions(struct verify *v, const struct record *rec)
{
	Sigactions m;
	int err = lists_sigactions(rec, &m);

	if (err)
		return err;
	for (size_t i = 0; i < m.signal_count; i++)
		if (!m.signal[i] || m.signal[i] > 64)
			return fail(EIMAGE, "process %u: there is no signal %u", v->pid, m.signal[i]);
	return 0;
}

static int on_descriptors(struct verify *v, const struct record *rec)
{
	Descriptors m;
	int err = lists_descriptors(rec, &m);

	if (err)
		return err;
	for (size_t i = 0; i < m.fd_count; i++)
		if (m.fd[i] > v->tree.highest_fd || !verify_known(v, m.file[i]))
			return fail(EIMAGE, "process %u: fd %u: no open file %u", v->pid, m.fd[i], m.file[i]);
	return 0;
}

static int on_thread(struct verify *v, const struct record *rec)
{
	Thread m;
	struct verified *p = find(v, v->pid);
	uint64_t total = 0;
	bool ended;
	int err = record_decode(rec, Thread_fields, &m);

	if (err)
		return err;
	for (size_t i = 0; i < m.regset_len_count; i++)
		total += m.regset_len[i];
	ended = m.tid == v->pid && p->seen && !m.regset_type_count;	/* a leader that others outlived */
	if (m.pid != v->pid || !m.tid || m.tid > 4194304 || m.uid_count != 4 || m.gid_count != 4 ||
	    m.regset_type_count != m.regset_len_count || total != rec->body_len ||
	    (!ended && (!m.regset_type_count || m.regset_type[0] != NT_PRSTATUS || m.regset_len[0] != sizeof(struct arch_regs))))
		return fail(EIMAGE, "thread %u of process %u: absurd", m.tid, v->pid);
	err = v->here && !v->root ? settings_check(&m) : 0;
	if (err)
		verify_note(v, err);
	v->tid = m.tid;
	p->seen++;
	v->found.threads++;
	return append(&v->tids, &m.tid, sizeof(m.tid));
}

static int on_pending(struct verify *v, const struct record *rec)
{
	Pending m;
	int err = record_decode(rec, Pending_fields, &m);

	if (!err && (rec->body_len != sizeof(siginfo_t) || (m.tid && m.tid != v->tid)))
		err = fail(EIMAGE, "a pending signal of process %u: not in its place", v->pid);
	return err;
}

static int on_lock(struct verify *v, const struct record *rec)
{
	Lock m;
	int err = record_decode(rec, Lock_fields, &m);

	if (!err && (m.fd > v->tree.highest_fd || !verify_known(v, m.file) || !lock_sane(&m)))
		err = fail(EIMAGE, "a lock of process %u: absurd", v->pid);
	return err;
}

static int on_timer(struct verify *v, const struct record *rec)
{
	Timer m;
	int err = record_decode(rec, Timer_fields, &m);

	if (!err)
		err = posix_timer_sound(&m, &v->next_timer);
	if (!err && v->here && !v->root && posix_timer_possible(&m))
		verify_note(v, -EIMAGE);
	return err;
}

/* --- all of it --- */

static int on_object(struct verify *v, const struct record *rec)
{
	const struct object_ops *ops = object_of_record(rec->type);

	if (!ops)
		return record_unknown(rec);
	if (v->processes.len)
		return fail(EIMAGE, "record type %u: not in its place", rec->type);
	return ops->verify(v, rec);
}

static int on_record(struct verify *v, const struct record *rec)
{
	enum { ANYWHERE, PROCESS, STATE };
	static const struct {
		uint8_t type, within;
		int (*handle)(struct verify *v, const struct record *rec);
	} handlers[] = {
		{ RECORD_HEADER, ANYWHERE, on_header },	{ RECORD_TREE, ANYWHERE, on_tree },
		{ RECORD_CLOCKS, ANYWHERE, IS_ON_CLOCKS ? on_clocks : NULL }, { RECORD_PIDS, ANYWHERE, on_pids },
		{ RECORD_PROCESS, ANYWHERE, on_process }, { RECORD_SESSION, ANYWHERE, IS_ON_SESSIONS ? on_session : NULL },
		{ RECORD_VMA, PROCESS, on_vma },
		{ RECORD_PAGES, PROCESS, on_pages },	{ RECORD_DROP, PROCESS, on_runs },
		{ RECORD_GUARD, PROCESS, on_runs },	{ RECORD_STATE, ANYWHERE, on_state },
		{ RECORD_ADVICE, STATE, on_advice },	{ RECORD_SIGACTIONS, STATE, on_sigactions },
		{ RECORD_DESCRIPTORS, STATE, on_descriptors }, { RECORD_THREAD, STATE, on_thread },
		{ RECORD_STOP, STATE, on_stop },
		{ RECORD_PENDING, STATE, on_pending },	{ RECORD_LOCK, STATE, on_lock },
		{ RECORD_TIMER, STATE, IS_ON_POSIX_TIMERS ? on_timer : NULL },
		{ ARCH_TAGS ? RECORD_TAGS : 0, PROCESS, on_tags },
	};

	if (!v->tree.root && rec->type != RECORD_HEADER && rec->type != RECORD_TREE)
		return fail(EIMAGE, "record type %u before the description of the tree", rec->type);
	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
		if (handlers[i].type != rec->type || !handlers[i].handle)
			continue;
		if (handlers[i].within != ANYWHERE && (!v->pid || v->states != (handlers[i].within == STATE)))
			return fail(EIMAGE, "record type %u of no process", rec->type);
		return handlers[i].handle(v, rec);
	}
	return on_object(v, rec);
}

/* Every record was good: is it all of them? */
static int check_end(const struct verify *v, const struct image_totals *claim)
{
	const struct verified *p = (const struct verified *)(const void *)v->processes.data;

	for (size_t i = 0; i < v->processes.len / sizeof(*p); i++)
		if (!p[i].zombie && !p[i].have_state)
			return fail(EIMAGE, "incomplete: the state of process %u is missing", p[i].pid);
	if (!v->states || v->found.processes != v->tree.processes || v->found.processes != claim->processes ||
	    v->found.threads != claim->threads || v->found.pages_stored != claim->pages_stored)
		return fail(EIMAGE, "incomplete: %u of %u processes, %u of %u threads, %" PRIu64 " of %" PRIu64 " pages",
			    v->found.processes, claim->processes, v->found.threads, claim->threads, v->found.pages_stored,
			    claim->pages_stored);
	return 0;
}

static int compare_tids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* By whom; NULL: it is free.  What is dead and about to be reaped is waited for, as restore does; *patience: so long. */
static const char *taken_by(pid_t pid, struct proc_stat *st, int *patience)
{
	for (;; *patience -= 10, poll(NULL, 0, 10)) {
		bool task = !proc_stat(pid, 0, st);

		if (pid == getpid() || (!task && kill(-pid, 0) && errno == ESRCH))
			return NULL;
		if (task && st->state != 'Z' && st->state != 'X')
			return st->comm;
		if (*patience <= 0)
			return task ? "a zombie" : "a process group";
	}
}

/* Every number is taken once in the image, and by nobody here. */
static int check_numbers(struct verify *v)
{
	uint32_t *tid = (uint32_t *)(void *)v->tids.data;
	size_t n = v->tids.len / sizeof(*tid);
	int patience = NUMBER_WAIT_MS;

	if (n)
		qsort(tid, n, sizeof(*tid), compare_tids);
	if (IS_ON_PIDS && v->here && !v->root && pids_possible(&v->tids))
		verify_note(v, -ERANGE);
	for (size_t i = 0; i < n; i++) {
		struct proc_stat st;
		char text[128];
		const char *by;

		if (i && tid[i] == tid[i - 1])
			return fail(EIMAGE, "pid %u: two tasks have this number", tid[i]);
		by = v->here && !v->root ? taken_by((pid_t)tid[i], &st, &patience) : NULL;
		if (by)
			verify_note(v, fail(EEXIST, "pid %u is taken, by %s", tid[i],
					    IS_ON_PIDS && pids_taken_by((pid_t)tid[i], text, sizeof(text)) ? text : by));
	}
	return 0;
}

static void check_limits(struct verify *v)
{
	const uint64_t needed = (uint64_t)world_begin(v->tree.highest_fd) + v->last_id + 1, room = world_room();

	if (room < needed)
		verify_note(v, fail(EMFILE, "restoring takes %" PRIu64 " open files, tinyckpt may have %" PRIu64 " (RLIMIT_NOFILE)", needed,
				    room));
}

int verify_image(struct verify *v, struct image_reader *image)
{
	struct record rec;
	int err;

	while ((err = image_next(image, &rec)) > 0) {
		err = on_record(v, &rec);
		if (err)
			break;
	}
	if (!err)
		err = end_state(v);
	if (!err)
		err = check_end(v, image_totals(image));
	if (!err)
		err = check_numbers(v);
	if (!err && v->here)
		check_limits(v);
	buffer_free(&v->processes);
	buffer_free(&v->tids);
	buffer_free(&v->mappings.bytes);
	buffer_free(&v->unfit);
	return err;
}
