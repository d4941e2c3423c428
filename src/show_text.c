/* SPDX-License-Identifier: MIT */
#include <cap-ng.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/log.h"
#include "clocks.pb.h"
#include "file.pb.h"
#include "header.pb.h"
#include "objects/object.h"
#include "pages.pb.h"
#include "process.pb.h"
#include "show.h"
#include "thread.pb.h"
#include "timer.pb.h"
#include "tree/lists.h"
#include "tree/records.h"
#include "vma.pb.h"

/* A process, as far as it is told.  Relatives are indices, -1: none. */
struct shown {
	uint32_t pid, pgid, sid, threads, exit_status, stop_signal;
	uint32_t cwd, root, exe;
	uint32_t uid, gid;
	uint64_t capabilities;	/* effective ones */
	bool zombie, leader_ended;
	char comm[64];
	size_t mappings;
	uint64_t bytes, pages;
	int parent, child, last_child, sibling, depth;
};

struct shown_fd {
	uint32_t pid, fd, id;
};

struct shown_timer {
	uint32_t pid;
	Timer is;
};

struct shown_object {
	uint32_t id;
	uint16_t type;
	uint32_t text;	/* where its line starts; TEXT_MAX: left out */
	bool mapped;	/* a program, a library; not one more opening of it */
};

/* So much is kept of the lines that say what is open; of what comes behind only the ids are told. */
enum { TEXT_MAX = 256 * 1024, LINE = 4096 + 256 };

struct show {
	Header header;
	Clocks clocks;
	struct buffer processes, fds, timers, objects, text;
	struct shown *now;	/* what records belong to; NULL before the first */
};

static struct shown *find(const struct show *s, uint32_t pid)
{
	struct shown *p = (struct shown *)(void *)s->processes.data;

	for (size_t i = s->processes.len / sizeof(*p); i-- > 0;)
		if (p[i].pid == pid)
			return &p[i];
	return NULL;
}

static int add_process(struct show *s, const Process *m)
{
	struct shown new = {
		.pid = m->pid, .pgid = m->pgid, .sid = m->sid, .threads = m->threads, .zombie = m->zombie,
		.exit_status = m->exit_status, .stop_signal = m->stop_signal, .parent = -1, .child = -1, .last_child = -1,
		.sibling = -1,
	};
	int n = (int)(s->processes.len / sizeof(new));
	struct shown *all, *parent = NULL;

	memcpy(new.comm, m->comm, sizeof(new.comm));
	if (n && !(parent = find(s, m->parent)))
		return fail(EIMAGE, "process %u: its parent %u does not come before it", m->pid, m->parent);
	if (parent) {
		new.parent = (int)(parent - (struct shown *)(void *)s->processes.data);
		new.depth = parent->depth + 1;
	}
	if (buffer_append(&s->processes, &new, sizeof(new)))
		return fail(ENOMEM, "out of memory");
	all = (struct shown *)(void *)s->processes.data;
	if (n) {
		parent = &all[new.parent];
		if (parent->child < 0)
			parent->child = n;
		else
			all[parent->last_child].sibling = n;
		parent->last_child = n;
	}
	s->now = &all[n];
	return 0;
}

static bool is_mapped(const struct record *rec)
{
	File m;

	return rec->type == RECORD_EMBEDDED ||
	       (rec->type == RECORD_FILE && !record_decode(rec, File_fields, &m) && m.mapped && !m.of);
}

static int add_object(struct show *s, const struct record *rec)
{
	const struct object_ops *ops = object_of_record(rec->type);
	struct shown_object o = { .type = rec->type, .text = TEXT_MAX };
	char line[LINE] = "", escaped[LINE];
	size_t len;
	int err;

	if (!ops)
		return record_unknown(rec);
	if (rec->type != ops->records[0])
		return 0;	/* contents */
	err = object_id(rec, &o.id);
	if (err)
		return err;
	o.mapped = is_mapped(rec);
	ops->show(rec, line, sizeof(line));
	if (!line[0])
		return -EIMAGE;
	len = escape(escaped, sizeof(escaped), line, strlen(line));
	if (s->text.len + len + 1 < TEXT_MAX) {
		o.text = (uint32_t)s->text.len;
		if (buffer_append(&s->text, escaped, len + 1))
			return fail(ENOMEM, "out of memory");
	}
	return buffer_append(&s->objects, &o, sizeof(o)) ? fail(ENOMEM, "out of memory") : 0;
}

static int add_descriptors(struct show *s, const Descriptors *m)
{
	for (size_t i = 0; i < m->fd_count; i++) {
		struct shown_fd fd = { s->now->pid, m->fd[i], m->file[i] };

		if (buffer_append(&s->fds, &fd, sizeof(fd)))
			return fail(ENOMEM, "out of memory");
	}
	return 0;
}

static int add_state(struct show *s, const State *m)
{
	s->now = find(s, m->pid);
	if (!s->now)
		return fail(EIMAGE, "state of process %u: there is no such process", m->pid);
	s->now->cwd = m->cwd;
	s->now->root = m->root;
	s->now->exe = m->exe;
	return 0;
}

static int add_record(struct show *s, const struct record *rec)
{
	union {
		Process process;
		Vma vma;
		Pages pages;
		State state;
		Descriptors descriptors;
		Thread thread;
		Timer timer;
	} m;
	const pb_msgdesc_t *fields = rec->type == RECORD_VMA ? Vma_fields : rec->type == RECORD_PAGES ? Pages_fields :
				     rec->type == RECORD_DESCRIPTORS ? Descriptors_fields :
				     rec->type == RECORD_THREAD ? Thread_fields :
				     rec->type == RECORD_TIMER ? Timer_fields : NULL;
	int err;

	switch (rec->type) {
	case RECORD_HEADER:
		return record_decode(rec, Header_fields, &s->header);
	case RECORD_PROCESS:
		err = record_decode(rec, Process_fields, &m.process);
		return err ? err : add_process(s, &m.process);
	case RECORD_STATE:
		err = record_decode(rec, State_fields, &m.state);
		return err ? err : add_state(s, &m.state);
	case RECORD_PIDS:
		return 0;
	case RECORD_CLOCKS:
		return record_decode(rec, Clocks_fields, &s->clocks);
	case RECORD_TREE:
	case RECORD_SESSION:
	case RECORD_DROP:
	case RECORD_GUARD:
	case RECORD_TAGS:
	case RECORD_ADVICE:
	case RECORD_STOP:
	case RECORD_SIGACTIONS:
	case RECORD_LOCK:
	case RECORD_PENDING:
		return 0;
	}
	if (!fields)
		return add_object(s, rec);
	if (!s->now)
		return fail(EIMAGE, "record type %u of no process", rec->type);
	err = rec->type == RECORD_DESCRIPTORS ? lists_descriptors(rec, &m.descriptors) : record_decode(rec, fields, &m);
	if (err)
		return err;
	if (rec->type == RECORD_VMA) {
		s->now->mappings++;
		s->now->bytes += m.vma.end - m.vma.start;
	} else if (rec->type == RECORD_PAGES) {
		for (size_t i = 0; i < m.pages.count_count; i++)
			s->now->pages += m.pages.count[i];
	} else if (rec->type == RECORD_DESCRIPTORS) {
		return add_descriptors(s, &m.descriptors);
	} else if (rec->type == RECORD_TIMER) {
		const struct shown_timer timer = { s->now->pid, m.timer };

		return buffer_append(&s->timers, &timer, sizeof(timer)) ? fail(ENOMEM, "out of memory") : 0;
	} else if (m.thread.tid == s->now->pid && m.thread.uid_count > 1 && m.thread.gid_count > 1) {
		s->now->uid = m.thread.uid[1];
		s->now->gid = m.thread.gid[1];
		s->now->capabilities = m.thread.cap_effective;
		s->now->leader_ended = !m.thread.regset_type_count;
	}
	return 0;
}

/* 12.3 MiB.  Good until the next but three. */
static const char *size(uint64_t bytes)
{
	static char texts[4][32];
	static unsigned int next;
	char *text = texts[next++ % 4];
	static const char units[] = "KMGTPE";
	int unit = -1;
	uint64_t tenths = bytes > UINT64_MAX / 10 ? UINT64_MAX : bytes * 10;

	for (; tenths >= 10240 && unit < 5; unit++)
		tenths /= 1024;
	if (unit < 0)
		snprintf(text, 32, "%" PRIu64 " bytes", bytes);
	else
		snprintf(text, 32, "%" PRIu64 ".%u %ciB", tenths / 10, (unsigned int)(tenths % 10), units[unit]);
	return text;
}

static const char *escaped(const char *text)
{
	static char line[LINE];

	escape(line, sizeof(line), text, strlen(text));
	return line;
}

static void print_header(const struct show *s, const char *path, uint64_t bytes)
{
	time_t created = (time_t)(s->header.created / 1000000000u);
	struct tm tm = { 0 };
	char when[32] = "?";

	if (gmtime_r(&created, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	printf("image    %s, %s\n", escaped(path), size(bytes));
	printf("made     %s, by tinyckpt %s", when, escaped(s->header.tool_version));
	printf(", on Linux %s (%s, pages of %s)\n", escaped(s->header.kernel_release), image_machine_name(image_own_machine()),
	       size(s->header.page_size));
	if (s->header.firmware[0])
		printf("firmware %s\n", escaped(s->header.firmware));
}

/* 2 d 03:04:05 */
static void print_time(const char *before, uint64_t ns)
{
	const uint64_t s = ns / 1000000000;

	printf("%s%" PRIu64 " d %02u:%02u:%02u", before, s / 86400, (unsigned int)(s / 3600 % 24), (unsigned int)(s / 60 % 60),
	       (unsigned int)(s % 60));
}

static void print_clocks(const Clocks *m)
{
	if (!m->monotonic)
		return;
	print_time("clocks   monotonic ", m->monotonic);
	print_time(", boot time ", m->boottime);
	putchar('\n');
}

static void print_line(const struct shown *p)
{
	int indent = p->depth < 30 ? 2 * p->depth : 60;

	printf("%*s%u %s: ", indent + 2, "", p->pid, escaped(p->comm));
	if (p->zombie)
		printf("zombie, wait status %#x", p->exit_status);
	else if (p->stop_signal)
		printf("stopped by signal %u, %u thread%s", p->stop_signal, p->threads, p->threads == 1 ? "" : "s");
	else
		printf("%u thread%s", p->threads, p->threads == 1 ? "" : "s");
	if (p->leader_ended)
		printf(" (the main one has ended)");
	printf(", session %u, process group %u", p->sid, p->pgid);
	if (!p->zombie)
		printf(", uid %u, gid %u", p->uid, p->gid);
	putchar('\n');
}

static void print_opening(const struct show *s, const char *what, uint32_t id)
{
	const struct shown_object *o = (const struct shown_object *)(const void *)s->objects.data;
	size_t low = 0, high = s->objects.len / sizeof(*o);

	while (low < high) {	/* their ids count up */
		size_t middle = (low + high) / 2;

		if (o[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < s->objects.len / sizeof(*o) && o[low].id == id && o[low].text < TEXT_MAX)
		printf("  %-8s %s\n", what, (const char *)s->text.data + o[low].text);
	else
		printf("  %-8s %u\n", what, id);
}

/* By name, those that it has or, when there are fewer, those that it lacks (capabilities(7)). */
static void print_capabilities(uint64_t has)
{
	unsigned int known = 0;
	uint64_t all, told;
	const char *before = "  may     ";

	while (known < 63 && capng_capability_to_name(known))
		known++;
	all = (1ULL << known) - 1;
	told = has & all;
	if (__builtin_popcountll(told) > (int)known / 2) {
		told = all & ~has;
		before = told ? "  may      all but" : "  may      all";
	}
	if (!has)
		return;
	printf("%s", before);
	for (unsigned int i = 0; i < known; i++)
		if (told >> i & 1)
			printf(" %s", capng_capability_to_name(i));
	putchar('\n');
}

static void print_timer(const Timer *m)
{
	static const char *const clocks[] = {
		[CLOCK_REALTIME] = "CLOCK_REALTIME", [CLOCK_MONOTONIC] = "CLOCK_MONOTONIC", [CLOCK_BOOTTIME] = "CLOCK_BOOTTIME",
		[CLOCK_TAI] = "CLOCK_TAI",
	};
	const uint32_t clock = (uint32_t)m->clock;
	const char *name = clock < sizeof(clocks) / sizeof(*clocks) && clocks[clock] ? clocks[clock] :
			   m->clock & 4				   ? "processor time of a thread" : "processor time";

	printf("  timer %-2u %s, ", m->id, name);
	if (m->notify == SIGEV_NONE)
		printf("no signal");
	else
		printf("signal %d", m->signal);
	if (m->tid)
		printf(" to thread %u", m->tid);
	if (m->remains)
		printf(", %" PRIu64 " us remain", m->remains / 1000);
	if (m->interval)
		printf(", then every %" PRIu64 " us", m->interval / 1000);
	putchar('\n');
}

static void print_process(const struct show *s, const struct shown *p)
{
	const struct shown_fd *fd = (const struct shown_fd *)(const void *)s->fds.data;
	const struct shown_timer *timer = (const struct shown_timer *)(const void *)s->timers.data;
	char what[16];

	printf("\nprocess %u (%s)\n", p->pid, escaped(p->comm));
	if (p->zombie) {
		puts("  ended, its parent has not waited for it");
		return;
	}
	printf("  memory   %zu mappings, %s of addresses, %" PRIu64 " pages stored (%s)\n", p->mappings, size(p->bytes), p->pages,
	       size(p->pages * s->header.page_size));
	print_capabilities(p->capabilities);
	print_opening(s, "program", p->exe);
	print_opening(s, "cwd", p->cwd);
	print_opening(s, "root", p->root);
	for (size_t i = 0; i < s->fds.len / sizeof(*fd); i++) {
		if (fd[i].pid != p->pid)
			continue;
		snprintf(what, sizeof(what), "fd %u", fd[i].fd);
		print_opening(s, what, fd[i].id);
	}
	for (size_t i = 0; i < s->timers.len / sizeof(*timer); i++)
		if (timer[i].pid == p->pid)
			print_timer(&timer[i].is);
}

static bool is_carrier(const struct shown_object *o)
{
	return o->type == RECORD_PIPE || o->type == RECORD_UNLINKED || o->type == RECORD_SNAPSHOT;
}

static bool is_shown_mapped(const struct shown_object *o)
{
	return o->mapped;
}

static void print_objects(const struct show *s, const char *title, bool (*of_these)(const struct shown_object *o))
{
	const struct shown_object *o = (const struct shown_object *)(const void *)s->objects.data;
	bool any = false;

	for (size_t i = 0; i < s->objects.len / sizeof(*o); i++) {
		if (!of_these(&o[i]) || o[i].text == TEXT_MAX)
			continue;
		if (!any)
			printf("\n%s\n", title);
		any = true;
		printf("  %s\n", (const char *)s->text.data + o[i].text);
	}
}

/* Depth first, without recursion: how deep it goes is the image's say. */
static void print_tree(const struct show *s)
{
	const struct shown *p = (const struct shown *)(const void *)s->processes.data;

	for (int i = s->processes.len ? 0 : -1; i >= 0;) {
		print_line(&p[i]);
		if (p[i].child >= 0) {
			i = p[i].child;
			continue;
		}
		while (i >= 0 && p[i].sibling < 0)
			i = p[i].parent;
		if (i >= 0)
			i = p[i].sibling;
	}
}

static void print_all(const struct show *s, const char *path, const struct image_reader *image)
{
	const struct image_totals *t = image_totals(image);
	const struct shown *p = (const struct shown *)(const void *)s->processes.data;

	print_header(s, path, image->stream ? image_offset(image) : image->size);
	printf("holds    %u process%s, %u thread%s, %u files, %" PRIu64 " pages (%s); %" PRIu64 " zero pages left out\n",
	       t->processes, t->processes == 1 ? "" : "es", t->threads, t->threads == 1 ? "" : "s", t->files, t->pages_stored,
	       size(t->pages_stored * s->header.page_size), t->pages_zero);
	print_clocks(&s->clocks);
	puts("tree");
	print_tree(s);
	for (size_t i = 0; i < s->processes.len / sizeof(*p); i++)
		print_process(s, &p[i]);
	print_objects(s, "mapped", is_shown_mapped);
	print_objects(s, "opened above", is_carrier);	/* what is no file by name */
}

int show_text(struct image_reader *image, const char *path)
{
	struct show s = { .header = Header_init_zero };
	struct record rec;
	int err;

	while ((err = image_next(image, &rec)) > 0) {
		err = add_record(&s, &rec);
		if (err)
			break;
	}
	if (!err)
		print_all(&s, path, image);
	buffer_free(&s.processes);
	buffer_free(&s.fds);
	buffer_free(&s.timers);
	buffer_free(&s.objects);
	buffer_free(&s.text);
	return err;
}
