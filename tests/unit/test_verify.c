/* SPDX-License-Identifier: MIT */
/* What `verify` finds in an image whose every byte is under a good checksum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "clocks.pb.h"
#include "eventfd.pb.h"
#include "file.pb.h"
#include "header.pb.h"
#include "image/writer.h"
#include "kernel/mm_fields.h"
#include "objects/object.h"
#include "pages.pb.h"
#include "pids.pb.h"
#include "thread.pb.h"
#include "timer.pb.h"
#include "timerfd.pb.h"
#include "tree/records.h"
#include "verify.h"
#include "vma.pb.h"

enum { PAGE = 4096 };
static const char path[] = "/tmp/test_verify.tck";

/* A process of one thread with one mapping of 16 pages, of which 2 and 3 are stored. */
struct sample {
	Header header;
	Tree tree;
	File file, other;
	Timerfd timerfd;
	Eventfd eventfd;
	Process process;
	Vma vma;
	Pages pages;
	uint32_t pages_len;
	State state;
	size_t state_len;
	Descriptors descriptors;
	Timer timer, later_timer;
	Thread thread;
	uint32_t thread_len;
	Pending pending;
	size_t pending_len;
	struct image_totals totals;
	uint16_t leave_out;	/* a type of records */
	uint16_t twice;
	struct more {
		uint16_t before, type;	/* one more record, in front of the first of that other type */
		const pb_msgdesc_t *fields;
		const void *message;
		size_t len;
	} more[2];
};

static void write_record(struct image_writer *w, const struct sample *s, uint16_t type, const pb_msgdesc_t *fields,
			 const void *message, size_t len)
{
	static uint16_t last;

	for (size_t i = 0; i < 2 && type != last; i++) {
		const struct more *m = &s->more[i];

		memset(image_body(w), 0, m->len);
		if (m->before == type)
			assert_int_equal(image_write(w, m->type, RECORD_MUST_UNDERSTAND, m->fields, m->message, image_body(w), m->len), 0);
	}
	last = type;
	memset(image_body(w), 0, len);
	for (int i = s->leave_out != type; i > 0 && i <= (s->twice == type ? 2 : 1); i++)
		assert_int_equal(image_write(w, type, RECORD_MUST_UNDERSTAND, fields, message, image_body(w), len), 0);
}

static int verify(const struct sample *s)
{
	struct image_writer w;
	struct image_reader r;
	struct image_totals totals = s->totals;
	struct verify v = { .here = false };
	int err;

	assert_int_equal(image_create(&w, path, NULL), 0);
	write_record(&w, s, RECORD_HEADER, Header_fields, &s->header, 0);
	write_record(&w, s, RECORD_TREE, Tree_fields, &s->tree, 0);
	write_record(&w, s, RECORD_FILE, File_fields, &s->file, 0);
	write_record(&w, s, RECORD_FILE, File_fields, &s->other, 0);
	write_record(&w, s, RECORD_TIMERFD, Timerfd_fields, &s->timerfd, 0);
	write_record(&w, s, RECORD_EVENTFD, Eventfd_fields, &s->eventfd, 0);
	write_record(&w, s, RECORD_PROCESS, Process_fields, &s->process, 0);
	write_record(&w, s, RECORD_VMA, Vma_fields, &s->vma, 0);
	write_record(&w, s, RECORD_PAGES, Pages_fields, &s->pages, s->pages_len);
	write_record(&w, s, RECORD_STATE, State_fields, &s->state, s->state_len);
	write_record(&w, s, RECORD_DESCRIPTORS, Descriptors_fields, &s->descriptors, 0);
	write_record(&w, s, RECORD_TIMER, Timer_fields, &s->timer, 0);
	write_record(&w, s, RECORD_TIMER, Timer_fields, &s->later_timer, 0);
	write_record(&w, s, RECORD_THREAD, Thread_fields, &s->thread, s->thread_len);
	write_record(&w, s, RECORD_PENDING, Pending_fields, &s->pending, s->pending_len);
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	assert_int_equal(image_open(&r, path, NULL), 0);
	err = verify_image(&v, &r);
	image_close(&r);
	unlink(path);
	return err;
}

static void good(struct sample *s)
{
	*s = (struct sample){
		.header = { .page_size = PAGE },
		.tree = { .root = 42, .processes = 1, .highest_fd = 7, .gap_start = 0x10000000, .gap_end = 0x20000000 },
		.file = { .id = 1, .path = "/", .mode = S_IFDIR },
		.other = { .id = 2, .path = "/bin/x", .mode = S_IFREG },
		.timerfd = { .id = 3, .clock = CLOCK_MONOTONIC, .remains = 5000, .interval = 1000 },
		.eventfd = { .id = 4, .count = 7 },
		.process = { .pid = 42, .sid = 42, .pgid = 42, .threads = 1 },
		.vma = { .start = 0x400000, .end = 0x400000 + 16 * PAGE, .prot = 3 },
		.pages = { .process = 42, .start_count = 1, .start = { 0x402 }, .count_count = 1, .count = { 2 }, .page_shift = 12 },
		.pages_len = 2 * PAGE,
		.state = { .pid = 42, .exe = 2, .cwd = 1, .root = 1 },
		.descriptors = { .fd_count = 1, .fd = { 7 }, .file_count = 1, .file = { 2 }, .cloexec_count = 1 },
		.timer = { .id = 0, .clock = CLOCK_REALTIME, .signal = SIGALRM, .remains = 5000 },
		.later_timer = { .id = 9, .clock = CLOCK_MONOTONIC, .notify = SIGEV_NONE, .interval = INT64_MAX / 8 },
		.thread = { .pid = 42, .tid = 42, .uid_count = 4, .gid_count = 4, .regset_type_count = 1,
			    .regset_type = { NT_PRSTATUS }, .regset_len_count = 1, .regset_len = { sizeof(struct arch_regs) } },
		.thread_len = sizeof(struct arch_regs),
		.pending = { .tid = 42 },
		.pending_len = sizeof(siginfo_t),
		.totals = { .processes = 1, .threads = 1, .files = 2, .pages_stored = 2 },
	};
}

static void a_whole_image(void **state)
{
	struct sample s;

	(void)state;
	good(&s);
	assert_int_equal(verify(&s), 0);
	s.leave_out = RECORD_PENDING;
	assert_int_equal(verify(&s), 0);
}

/* One thing is wrong: it is found. */
#define WRONG(change) \
	do { \
		good(&s); \
		change; \
		if (verify(&s) != -EIMAGE) { \
			print_error("not found: %s\n", #change); \
			assert_true(false); \
		} \
	} while (0)

static void something_is_missing_or_doubled(void **state)
{
	static const uint16_t needed[] = { RECORD_HEADER, RECORD_TREE, RECORD_FILE, RECORD_PROCESS, RECORD_VMA, RECORD_PAGES,
					   RECORD_STATE, RECORD_THREAD };
	struct sample s;

	(void)state;
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		WRONG(s.leave_out = needed[i]);
		WRONG(s.twice = needed[i]);
	}
}

static void references_lead_nowhere(void **state)
{
	struct sample s;

	(void)state;
	WRONG(s.file.id = 2);
	WRONG(s.other.id = 3);
	WRONG(s.other.of = 5);
	WRONG(strcpy(s.other.path, "bin/x"));
	WRONG(s.process.parent = 41);
	WRONG(s.process.pid = 43);
	WRONG((s.vma.kind = VmaKind_FILE_BACKED, s.vma.file = 5));
	WRONG(s.vma.inherited = true);
	WRONG(s.pages.process = 43);
	WRONG(s.state.pid = 43);
	WRONG(s.state.exe = 5);
	WRONG(s.state.cwd = 0);
	WRONG(s.state.root = 5);
	WRONG(s.descriptors.file[0] = 5);
	WRONG(s.descriptors.fd[0] = 8);
	WRONG(s.thread.pid = 43);
	WRONG(s.thread.tid = 43);
	WRONG((s.thread.tid = 43, s.leave_out = RECORD_PENDING));
	WRONG(s.pending.tid = 43);
}

static void sizes_and_places_are_absurd(void **state)
{
	struct sample s;

	(void)state;
	WRONG(s.header.page_size = 1000);
	WRONG((s.header.page_size = 2 << 20, s.vma.end = 0x600000, s.leave_out = RECORD_PAGES, s.totals.pages_stored = 0));
	WRONG(s.tree.highest_fd = (1U << 24) + 1);
	WRONG(s.tree.gap_end = UINT64_MAX);
	WRONG(s.tree.gap_end = s.tree.gap_start);
	WRONG(s.vma.end = s.vma.start);
	WRONG(s.vma.start += 1);
	WRONG((s.vma.start = 0x10000000, s.vma.end = 0x10001000));
	WRONG(s.vma.end = UINT64_MAX & ~0xfffULL);
	WRONG(s.vma.huge = 3 * PAGE);
	WRONG(s.vma.huge = PAGE / 2);
	WRONG(s.vma.pgoff = 1);
	WRONG(s.vma.prot |= 1U << 20);
	WRONG(s.pages.start[0] = 0x40f);
	WRONG(s.pages.start[0] = UINT64_MAX);
	WRONG(s.pages.count[0] = 3);
	WRONG(s.pages.count[0] = UINT32_MAX);
	WRONG(s.pages.count_count = 0);
	WRONG((s.twice = RECORD_PAGES, s.totals.pages_stored = 4));
	WRONG(s.pages.page_shift = 13);
	WRONG(s.descriptors.cloexec_count = 0);
	WRONG(s.thread_len -= 8);
	WRONG(s.thread.regset_len[0] = UINT32_MAX);
	WRONG(s.thread.regset_type_count = 0);
	WRONG(s.thread.regset_len[0] = s.thread_len = 8);
	WRONG(s.thread.uid_count = 3);
	WRONG(s.thread.gid_count = 3);
	WRONG(s.thread.tid = 4194305);
	WRONG(s.state_len = MM_AUXV_MAX + 1);
	WRONG(s.pending_len = sizeof(siginfo_t) - 1);
	WRONG(s.process.threads = 2);
}

static void timers_are_absurd(void **state)
{
	struct sample s;

	(void)state;
	WRONG(s.timer.id = 9);
	WRONG(s.later_timer.id = 0);
	WRONG(s.later_timer.id = UINT32_MAX);
	WRONG(s.twice = RECORD_TIMER);
	WRONG(s.timer.remains = INT64_MAX);
	WRONG(s.timer.interval = UINT64_MAX);
	WRONG(s.timer.notify = 3);
	WRONG(s.timer.tid = UINT32_MAX);
	WRONG(s.timerfd.id = 4);
	WRONG(s.timerfd.clock = 2);
	WRONG(s.timerfd.clock = UINT32_MAX);
	WRONG(s.timerfd.remains = INT64_MAX);
	WRONG(s.timerfd.interval = UINT64_MAX);
	WRONG(s.timerfd.until = UINT64_MAX);
	WRONG(s.eventfd.id = 5);
}

static void totals_disagree(void **state)
{
	struct sample s;

	(void)state;
	WRONG(s.tree.processes = 2);
	WRONG(s.totals.processes = 2);
	WRONG(s.totals.threads = 2);
	WRONG(s.totals.pages_stored = 3);
}

/* With one more record, in front of those of another type, it is as good as before; or not. */
#define WITH(type_before, more_type, more_fields, more_message, more_len) \
	s.more[!!s.more[0].type] = (struct more){ type_before, more_type, more_fields, more_message, more_len }
#define RIGHT(change) \
	do { \
		good(&s); \
		change; \
		assert_int_equal(verify(&s), 0); \
	} while (0)

static void processes_and_threads_are_absurd(void **state)
{
	const Process dead = { .pid = 43, .parent = 42, .sid = 42, .pgid = 42, .zombie = true };
	struct arch_regs *none = NULL;
	struct sample s;
	Process p;
	Thread t;

	(void)state;
#define CHILD(change) \
	(p = dead, change, s.tree.processes = s.totals.processes = 2, WITH(RECORD_STATE, RECORD_PROCESS, Process_fields, &p, 0))
	RIGHT(CHILD((void)0));
	WRONG(CHILD(p.parent = 44));
	WRONG(CHILD(p.pid = 42));
	WRONG(CHILD(p.pid = 0));
	WRONG(CHILD(p.pid = 4194305));
	WRONG(CHILD(p.zombie = false));	/* then it has a state */
	WRONG((CHILD((void)0), s.more[0].before = RECORD_PENDING, s.leave_out = RECORD_PENDING));	/* among the states */

#define THREAD(where) \
	(t = s.thread, t.tid = 44, s.process.threads = s.totals.threads = 2, \
	 WITH(where, RECORD_THREAD, Thread_fields, &t, sizeof(*none)))
	RIGHT(THREAD(RECORD_THREAD));
	WRONG((THREAD(RECORD_THREAD), s.twice = RECORD_THREAD, s.process.threads = s.totals.threads = 3));
	WRONG((s.twice = RECORD_STATE, s.leave_out = RECORD_THREAD, s.process.threads = s.totals.threads = 0));
	WRONG((THREAD(RECORD_PENDING), s.leave_out = RECORD_PENDING));	/* the main one is the last */
	WRONG((THREAD(RECORD_THREAD), CHILD(p.pid = 44)));
}

static void other_records_are_absurd(void **state)
{
	struct sample s;
	Clocks clocks;
	Pids pids;
	File file;
	Vma vma;
	Advice advice;
	Stop stop;
	Sigactions signals;
	Lock lock;
	Session session;

	(void)state;
#define CLOCKS(where) (clocks = (Clocks)Clocks_init_zero, WITH(where, RECORD_CLOCKS, Clocks_fields, &clocks, 0))
	RIGHT(CLOCKS(RECORD_FILE));
	WRONG(CLOCKS(RECORD_TREE));
	WRONG(CLOCKS(RECORD_PROCESS));
#define PIDS(where) (pids = (Pids)Pids_init_zero, WITH(where, RECORD_PIDS, Pids_fields, &pids, 0))
	RIGHT(PIDS(RECORD_FILE));
	WRONG(PIDS(RECORD_TREE));
	WRONG(PIDS(RECORD_STATE));
#define FILE(where) (file = s.other, file.id = 5, WITH(where, RECORD_FILE, File_fields, &file, 0))
	RIGHT(FILE(RECORD_PROCESS));
	WRONG(FILE(RECORD_STATE));
#define VMA(where, at) (vma = s.vma, vma.start = at, vma.end = (at) + PAGE, WITH(where, RECORD_VMA, Vma_fields, &vma, 0))
	RIGHT(VMA(RECORD_VMA, 0x3ff000));
	RIGHT(VMA(RECORD_PAGES, 0x410000));
#define RUNS(one, other) \
	(s.pages.start_count = s.pages.count_count = 2, s.pages.start[0] = one, s.pages.start[1] = other, \
	 s.pages.count[0] = s.pages.count[1] = 1)
	RIGHT(RUNS(0x402, 0x40f));
	WRONG(RUNS(0x40f, 0x402));
	WRONG(RUNS(0x402, 0x402));
	WRONG(RUNS(0x402, 0x410));
	RIGHT((VMA(RECORD_PAGES, 0x410000), s.pages.start[0] = 0x40f));
	RIGHT((VMA(RECORD_PAGES, 0x410000), RUNS(0x400, 0x410)));
	WRONG((VMA(RECORD_PAGES, 0x411000), s.pages.start[0] = 0x40f));
	WRONG((VMA(RECORD_PAGES, 0x411000), RUNS(0x402, 0x410)));
	RIGHT((VMA(RECORD_PAGES, 0x411000), RUNS(0x402, 0x411)));
	WRONG(VMA(RECORD_VMA, 0x400000));
	WRONG(VMA(RECORD_PAGES, 0x40f000));
	WRONG(VMA(RECORD_STATE, 0x410000));
	WRONG(VMA(RECORD_PROCESS, 0x3ff000));
	WRONG(VMA(RECORD_THREAD, 0x410000));
#define ADVICE(to) (advice = (Advice){ .start = PAGE, .end = to }, WITH(RECORD_DESCRIPTORS, RECORD_ADVICE, Advice_fields, &advice, 0))
	RIGHT(ADVICE(2 * PAGE));
	WRONG(ADVICE(PAGE));
#define STOP(of) (stop = (Stop){ .pid = of }, WITH(RECORD_DESCRIPTORS, RECORD_STOP, Stop_fields, &stop, 0))
	RIGHT(STOP(42));
	WRONG(STOP(41));
#define SIGACTION(of) \
	(signals = (Sigactions){ 1, { of }, 1, { 0 }, 1, { 0 }, 1, { 0 }, 1, { 0 } }, \
	 WITH(RECORD_DESCRIPTORS, RECORD_SIGACTIONS, Sigactions_fields, &signals, 0))
	RIGHT(SIGACTION(64));
	WRONG(SIGACTION(65));
	WRONG(SIGACTION(0));
	WRONG((SIGACTION(64), signals.mask_count = 0));
#define LOCK(change) \
	(lock = (Lock){ .fd = 7, .file = 2, .kind = 1 }, change, WITH(RECORD_THREAD, RECORD_LOCK, Lock_fields, &lock, 0))
	RIGHT(LOCK((void)0));
	WRONG(LOCK(lock.fd = 8));
	WRONG(LOCK(lock.file = 5));
	WRONG(LOCK(lock.kind = 4));
#define SESSION(change) \
	(session = (Session){ .sid = 50, .under = 42, .member_count = 1, .member = { 51 }, .parent_count = 1, .parent = { 42 }, \
			      .member_exit_signal_count = 1 }, change, WITH(RECORD_STATE, RECORD_SESSION, Session_fields, &session, 0))
	RIGHT(SESSION((void)0));
	WRONG(SESSION(session.sid = 0));
	WRONG(SESSION(session.sid = 4194305));
	WRONG(SESSION(session.under = 41));
	WRONG(SESSION(session.adopted_by = 41));
	WRONG(SESSION(session.parent_count = 0));
	WRONG(SESSION(session.member_exit_signal_count = 0));
	WRONG(SESSION(session.member[0] = 42));
	WRONG(SESSION(session.member[0] = 4194305));
	WRONG(SESSION(session.parent[0] = 41));
	WRONG((SESSION((void)0), s.more[0].before = RECORD_THREAD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_image),
		cmocka_unit_test(something_is_missing_or_doubled),
		cmocka_unit_test(references_lead_nowhere),
		cmocka_unit_test(sizes_and_places_are_absurd),
		cmocka_unit_test(timers_are_absurd),
		cmocka_unit_test(totals_disagree),
		cmocka_unit_test(processes_and_threads_are_absurd),
		cmocka_unit_test(other_records_are_absurd),
	};

	log_init(NULL, LOG_QUIET, 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
