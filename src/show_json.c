/* SPDX-License-Identifier: MIT */
/* The records of an image, one after the other, as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "clocks.pb.h"
#include "config.h"
#include "file.pb.h"
#include "image/machine.h"
#include "json.h"
#include "objects/content.h"
#include "objects/object.h"
#include "pages.pb.h"
#include "process.pb.h"
#include "show.h"
#include "thread.pb.h"
#include "timer.pb.h"
#include "tree/lists.h"
#include "tree/locks.h"
#include "tree/records.h"
#include "vma.pb.h"

/* The parts of the document, in the order in which their records come. */
enum part { PART_HEAD, PART_OBJECTS, PART_PROCESSES, PART_STATES };

/* Inside a process or a state, lists of one kind of thing. */
struct writing {
	struct json j;
	enum part part;
	bool in_process;	/* the object of a process or state is open */
	uint16_t list;		/* the array of these records is open; 0: none */
	uint32_t listed;	/* one bit a type of record: its array was there, and cannot come again */
	bool in_thread, in_pending;	/* the object of a thread is open, the array of its pending signals */
};

/* Numbers go out as they are, addresses as text: JSON's numbers end at 2^53. */
static void address(struct json *j, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_text(j, key, text);
}

static void numbers(struct json *j, const char *key, const uint32_t *values, size_t n)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++)
		json_number(j, NULL, values[i]);
	json_array_end(j);
}

static void end_thread(struct writing *w)
{
	if (w->in_pending)
		json_array_end(&w->j);
	if (w->in_thread)
		json_object_end(&w->j);
	w->in_pending = w->in_thread = false;
}

static void end_list(struct writing *w)
{
	end_thread(w);
	if (w->list)
		json_array_end(&w->j);
	w->list = 0;
}

static void end_process(struct writing *w)
{
	end_list(w);
	if (w->in_process)
		json_object_end(&w->j);
	w->in_process = false;
	w->listed = 0;
}

/* Goes on to a part of the document.  Parts never come back: an image in which they did has lost its order. */
static int go_to(struct writing *w, enum part part)
{
	static const char *const names[] = { NULL, "objects", "processes", "states" };

	if (part < w->part)
		return fail(EIMAGE, "its records are not in order");
	while (w->part < part) {
		end_process(w);
		if (w->part != PART_HEAD)
			json_array_end(&w->j);
		json_array(&w->j, names[++w->part]);
	}
	return 0;
}

static int in_list(struct writing *w, uint16_t type, const char *name)
{
	if (w->list == type)
		return 0;
	if (!w->in_process)
		return fail(EIMAGE, "record type %u of no process", type);
	if (w->listed & 1U << type)
		return fail(EIMAGE, "its records are not in order");
	end_list(w);
	json_array(&w->j, name);
	w->list = type;
	w->listed |= 1U << type;
	return 0;
}

static int on_header(struct writing *w, const struct record *rec)
{
	struct json *j = &w->j;
	Header m;
	char name[64];
	int err = record_decode(rec, Header_fields, &m);

	if (err || w->part != PART_HEAD)
		return err ? err : go_to(w, PART_HEAD);
	json_text(j, "machine", image_machine_name(image_own_machine()));
	json_number(j, "page_size", (int64_t)m.page_size);
	json_number(j, "created_ns", (int64_t)m.created);
	json_text(j, "kernel_release", m.kernel_release);
	json_text(j, "firmware", m.firmware);
	json_text(j, "tool_version", m.tool_version);
	json_array(j, "features");
	for (unsigned int i = 0; i < m.features_count; i++)
		for (uint64_t left = m.features[i]; left; left &= left - 1)
			json_text(j, NULL, machine_feature_name(i, (unsigned int)__builtin_ctzll(left), name, sizeof(name)));
	json_array_end(j);
	return 0;
}

static int on_tree(struct writing *w, const struct record *rec)
{
	Tree m;
	int err = record_decode(rec, Tree_fields, &m);

	if (err || w->part != PART_HEAD)
		return err ? err : go_to(w, PART_HEAD);
	json_number(&w->j, "root", m.root);
	json_number(&w->j, "highest_fd", m.highest_fd);
	return 0;
}

static void content(struct json *j, uint64_t size, const Content *content)
{
	char build_id[BUILD_ID_TEXT];

	json_number(j, "size", (int64_t)size);
	address(j, "crc32c", content->crc);
	if (IS_ON_EMBED && content->build_id.size)
		json_text(j, "build_id", build_id_text(&content->build_id, build_id));
}

/* What is open, or mapped; of mapped files more is told than where they are. */
static int opened(struct json *j, const struct record *rec)
{
	union {
		File file;
		Device device;
		Embedded embedded;
	} m;
	int err = 0;

	if (rec->type == RECORD_FILE) {
		err = record_decode(rec, File_fields, &m.file);
		if (!err && m.file.of)
			json_number(j, "opens", m.file.of);
		else if (!err)
			json_text(j, "path", m.file.path);
		if (!err) {
			json_number(j, "flags", m.file.flags);
			json_bool(j, "mapped", m.file.mapped);
		}
		if (!err && m.file.has_content)
			content(j, m.file.size, &m.file.content);
	} else if (rec->type == RECORD_DEVICE) {
		err = record_decode(rec, Device_fields, &m.device);
		if (!err)
			json_number(j, "flags", m.device.flags);
	} else if (rec->type == RECORD_EMBEDDED) {
		err = record_decode(rec, Embedded_fields, &m.embedded);
		if (!err) {
			json_text(j, "path", m.embedded.path);
			content(j, m.embedded.size, &m.embedded.content);
		}
	}
	return err;
}

static int on_clocks(struct writing *w, const struct record *rec)
{
	Clocks m;
	int err = record_decode(rec, Clocks_fields, &m);

	if (err || w->part != PART_HEAD)
		return err ? err : go_to(w, PART_HEAD);
	json_object(&w->j, "clocks");
	json_number(&w->j, "monotonic_ns", (int64_t)m.monotonic);
	json_number(&w->j, "boottime_ns", (int64_t)m.boottime);
	json_number(&w->j, "realtime_ns", (int64_t)m.realtime);
	json_number(&w->j, "monotonic_offset_ns", m.monotonic_offset);
	json_number(&w->j, "boottime_offset_ns", m.boottime_offset);
	json_text(&w->j, "boot_id", m.boot_id);
	json_object_end(&w->j);
	return 0;
}

static int on_object(struct writing *w, const struct record *rec)
{
	const struct object_ops *ops = object_of_record(rec->type);
	char line[4096 + 256] = "";
	uint32_t id;
	int err = ops ? object_id(rec, &id) : record_unknown(rec);

	if (err || !ops)
		return err;
	ops->show(rec, line, sizeof(line));
	if (!line[0])
		return -EIMAGE;
	err = go_to(w, PART_OBJECTS);
	if (err)
		return err;
	json_object(&w->j, NULL);
	json_number(&w->j, "id", id);
	json_text(&w->j, "kind", ops->name);
	json_text(&w->j, "what", line);
	json_number(&w->j, "bytes", rec->body_len);
	json_bool(&w->j, "embedded", rec->type == RECORD_EMBEDDED);
	err = opened(&w->j, rec);
	json_object_end(&w->j);
	return err;
}

static int on_process(struct writing *w, const struct record *rec)
{
	struct json *j = &w->j;
	Process m;
	int err = record_decode(rec, Process_fields, &m);

	if (!err)
		err = go_to(w, PART_PROCESSES);
	if (err)
		return err;
	end_process(w);
	json_object(j, NULL);
	w->in_process = true;
	json_number(j, "pid", m.pid);
	json_number(j, "parent", m.parent);
	json_number(j, "pgid", m.pgid);
	json_number(j, "sid", m.sid);
	json_text(j, "comm", m.comm);
	json_number(j, "threads", m.threads);
	json_bool(j, "zombie", m.zombie);
	if (m.zombie)
		json_number(j, "wait_status", m.exit_status);
	json_number(j, "stop_signal", m.stop_signal);
	return 0;
}

static int on_vma(struct writing *w, const struct record *rec)
{
	static const char *const kinds[] = { "anonymous", "file", "kernel" };
	struct json *j = &w->j;
	Vma m;
	char prot[5];
	int err = record_decode(rec, Vma_fields, &m);

	if (!err)
		err = in_list(w, RECORD_VMA, "mappings");
	if (err)
		return err;
	snprintf(prot, sizeof(prot), "%c%c%c%c", m.prot & 1 ? 'r' : '-', m.prot & 2 ? 'w' : '-', m.prot & 4 ? 'x' : '-',
		 m.shared ? 's' : 'p');
	json_object(j, NULL);
	address(j, "start", m.start);
	address(j, "end", m.end);
	json_text(j, "permissions", prot);
	json_text(j, "kind", (unsigned int)m.kind < 3 ? kinds[m.kind] : "?");
	if (m.file) {
		json_number(j, "file", m.file);
		address(j, "offset", m.pgoff);
	}
	if (m.name[0])
		json_text(j, "name", m.name);
	json_bool(j, "inherited", m.inherited);
	json_object_end(j);
	return 0;
}

static int on_runs(struct writing *w, const struct record *rec)
{
	struct json *j = &w->j;
	union {
		Pages pages;
		Runs runs;
	} m;
	bool pages = rec->type == RECORD_PAGES;
	int err = pages ? record_decode(rec, Pages_fields, &m.pages) : lists_runs(rec, &m.runs);

	if (!err && pages)
		err = m.pages.page_shift < 32 && m.pages.start_count == m.pages.count_count ? 0 : fail(EIMAGE, "pages: absurd");
	if (!err)
		err = in_list(w, RECORD_PAGES, "memory");
	for (size_t i = 0; !err && i < (pages ? m.pages.start_count : m.runs.start_count); i++) {
		uint64_t start = pages ? m.pages.start[i] << m.pages.page_shift : m.runs.start[i];

		json_object(j, NULL);
		json_text(j, "kind", pages ? "pages" : rec->type == RECORD_DROP ? "dropped" : "guard");
		address(j, "start", start);
		address(j, "end", pages ? start + ((uint64_t)m.pages.count[i] << m.pages.page_shift) : m.runs.end[i]);
		json_object_end(j);
	}
	return err;
}

static int on_state(struct writing *w, const struct record *rec)
{
	struct json *j = &w->j;
	State m;
	int err = record_decode(rec, State_fields, &m);

	if (!err)
		err = go_to(w, PART_STATES);
	if (err)
		return err;
	end_process(w);
	json_object(j, NULL);
	w->in_process = true;
	json_number(j, "pid", m.pid);
	json_number(j, "exe", m.exe);
	json_number(j, "cwd", m.cwd);
	json_number(j, "root", m.root);
	json_number(j, "umask", m.umask);
	json_number(j, "dumpable", m.dumpable);
	json_number(j, "personality", m.personality);
	json_number(j, "oom_score_adj", m.oom_score_adj);
	json_bool(j, "subreaper", m.subreaper);
	address(j, "start_brk", m.start_brk);
	address(j, "brk", m.brk);
	return 0;
}

static int on_descriptors(struct writing *w, const struct record *rec)
{
	struct json *j = &w->j;
	Descriptors m;
	int err = lists_descriptors(rec, &m);

	if (!err)
		err = in_list(w, rec->type, "descriptors");
	for (size_t i = 0; !err && i < m.fd_count; i++) {
		json_object(j, NULL);
		json_number(j, "fd", m.fd[i]);
		json_number(j, "object", m.file[i]);
		json_bool(j, "cloexec", m.cloexec[i]);
		json_object_end(j);
	}
	return err;
}

static int on_lock(struct writing *w, const struct record *rec)
{
	struct json *j = &w->j;
	Lock m;
	int err = record_decode(rec, Lock_fields, &m);

	if (!err)
		err = in_list(w, rec->type, "locks");
	if (err)
		return err;
	json_object(j, NULL);
	json_number(j, "fd", m.fd);
	json_text(j, "kind", m.kind == LOCK_FLOCK ? "flock" : m.kind == LOCK_PROCESS ? "process" : "description");
	json_bool(j, "exclusive", m.exclusive);
	json_number(j, "start", (int64_t)m.start);
	json_number(j, "length", (int64_t)m.length);
	json_object_end(j);
	return 0;
}

static int on_timer(struct writing *w, const struct record *rec)
{
	static const char *const kinds[] = { [SIGEV_SIGNAL] = "signal", [SIGEV_NONE] = "none", [SIGEV_THREAD] = "thread" };
	struct json *j = &w->j;
	Timer m;
	int err = record_decode(rec, Timer_fields, &m);

	if (!err)
		err = in_list(w, rec->type, "timers");
	if (err)
		return err;
	json_object(j, NULL);
	json_number(j, "id", m.id);
	json_number(j, "clock", m.clock);
	json_text(j, "notify", m.notify < sizeof(kinds) / sizeof(*kinds) ? kinds[m.notify] : "?");
	json_number(j, "signal", m.signal);
	address(j, "value", m.sigval);
	json_number(j, "tid", m.tid);
	json_number(j, "remains_ns", (int64_t)m.remains);
	json_number(j, "interval_ns", (int64_t)m.interval);
	json_object_end(j);
	return 0;
}

static int on_sigactions(struct writing *w, const struct record *rec)
{
	struct json *j = &w->j;
	Sigactions m;
	int err = lists_sigactions(rec, &m);

	if (!err)
		err = in_list(w, rec->type, "signal_actions");
	for (size_t i = 0; !err && i < m.signal_count; i++) {
		json_object(j, NULL);
		json_number(j, "signal", m.signal[i]);
		address(j, "handler", m.handler[i]);
		address(j, "flags", m.flags[i]);
		address(j, "mask", m.mask[i]);
		json_object_end(j);
	}
	return err;
}

static int on_thread(struct writing *w, const struct record *rec)
{
	struct json *j = &w->j;
	Thread m;
	int err = record_decode(rec, Thread_fields, &m);

	if (!err)
		err = in_list(w, rec->type, "threads");
	if (err)
		return err;
	end_thread(w);
	json_object(j, NULL);
	w->in_thread = true;
	json_number(j, "tid", m.tid);
	json_text(j, "comm", m.comm);
	json_bool(j, "ended", !m.regset_type_count);
	address(j, "blocked", m.sigmask);
	numbers(j, "uid", m.uid, m.uid_count);
	numbers(j, "gid", m.gid, m.gid_count);
	numbers(j, "groups", m.groups, m.groups_count);
	address(j, "cap_permitted", m.cap_permitted);
	address(j, "cap_effective", m.cap_effective);
	address(j, "cap_inheritable", m.cap_inheritable);
	address(j, "cap_bounding", m.cap_bounding);
	address(j, "cap_ambient", m.cap_ambient);
	json_bool(j, "no_new_privs", m.no_new_privs);
	json_number(j, "sched_policy", m.sched_policy);
	json_number(j, "sched_priority", m.sched_priority);
	json_number(j, "nice", m.nice);
	json_number(j, "interrupted_syscall", m.interrupted ? (int64_t)m.syscall : -1);
	json_number(j, "register_bytes", rec->body_len);
	return 0;
}

static int on_pending(struct writing *w, const struct record *rec)
{
	Pending m;
	int err = record_decode(rec, Pending_fields, &m);

	if (err)
		return err;
	if (!w->in_thread)	/* of the process */
		err = in_list(w, rec->type, "pending_signals");
	else if (!w->in_pending)
		json_array(&w->j, "pending_signals");
	w->in_pending = w->in_thread;
	if (err)
		return err;
	json_object(&w->j, NULL);
	json_number(&w->j, "siginfo_bytes", rec->body_len);
	json_object_end(&w->j);
	return 0;
}

static int on_record(struct writing *w, const struct record *rec)
{
	switch (rec->type) {
	case RECORD_HEADER:
		return on_header(w, rec);
	case RECORD_TREE:
		return on_tree(w, rec);
	case RECORD_PIDS:
		return 0;
	case RECORD_CLOCKS:
		return on_clocks(w, rec);
	case RECORD_PROCESS:
		return on_process(w, rec);
	case RECORD_VMA:
		return on_vma(w, rec);
	case RECORD_PAGES:
	case RECORD_DROP:
	case RECORD_GUARD:
		return on_runs(w, rec);
	case RECORD_STATE:
		return on_state(w, rec);
	case RECORD_DESCRIPTORS:
		return on_descriptors(w, rec);
	case RECORD_LOCK:
		return on_lock(w, rec);
	case RECORD_TIMER:
		return on_timer(w, rec);
	case RECORD_SIGACTIONS:
		return on_sigactions(w, rec);
	case RECORD_THREAD:
		return on_thread(w, rec);
	case RECORD_PENDING:
		return on_pending(w, rec);
	case RECORD_ADVICE:
	case RECORD_STOP:
	case RECORD_TAGS:
	case RECORD_SESSION:	/* the processes' own lines tell it */
		return 0;
	default:
		return on_object(w, rec);
	}
}

static void totals(struct json *j, const struct image_totals *t, uint64_t bytes)
{
	json_object(j, "totals");
	json_number(j, "image_bytes", (int64_t)bytes);
	json_number(j, "processes", t->processes);
	json_number(j, "threads", t->threads);
	json_number(j, "files", t->files);
	json_number(j, "pages_stored", (int64_t)t->pages_stored);
	json_number(j, "pages_zero", (int64_t)t->pages_zero);
	json_number(j, "records", (int64_t)t->records);
	json_object_end(j);
}

/* Reads through once without a word on standard output, so that a damaged file gives no half document. */
static int read_through(struct image_reader *image)
{
	struct record rec;
	int err = 0;

	if (!image_rewinds(image))
		return 0;
	while ((err = image_next(image, &rec)) > 0)
		;
	return err ? err : image_seek(image, IMAGE_PREAMBLE);
}

int show_json(struct image_reader *image)
{
	struct writing w = { 0 };
	struct record rec;
	int err = read_through(image);

	if (err)
		return err;
	json_object(&w.j, NULL);
	while ((err = image_next(image, &rec)) > 0) {
		err = on_record(&w, &rec);
		if (err)
			break;
	}
	if (!err)
		err = go_to(&w, PART_STATES);
	if (err)
		return err;
	end_process(&w);
	json_array_end(&w.j);
	totals(&w.j, image_totals(image), image->stream ? image_offset(image) : image->size);
	json_object_end(&w.j);
	return 0;
}
