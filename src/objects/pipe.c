/* SPDX-License-Identifier: MIT */
/* Pipes and FIFOs with what is in them (pipe(7)).  Every end is an opening of one carrier that has both. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"
#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "kernel/procfs.h"
#include "objects/object.h"
#include "objects/outside.h"

static bool match(const struct save *s, const struct opened *o)
{
	(void)s;
	return S_ISFIFO(o->st.st_mode) && !(o->info.flags & O_PATH);
}

static bool is_fifo(const struct opened *o)
{
	return o->path[0] == '/';
}

static void check(struct save *s, const struct opened *o)
{
	pid_t holder;
	char comm[64];

	if (o->info.flags & O_ASYNC)
		obstacle(s, "%s: %s: signal-driven I/O (O_ASYNC) is not supported", o->what, o->path);
	if (outside_holder(s, o, &holder, comm))
		obstacle(s, "%s: %s: a pipe to process %d (%s), which is outside the tree%s", o->what, o->path, holder, comm,
			 o->fd >= 0 && o->fd <= 2 ? ": --inherit-stdio replaces it by restore's own stream" : "");
}

/* What is in the pipe, without taking it out: tee(2) into a pipe of our own, which keeps packets apart. */
static int save_data(struct save *s, const struct opened *o, int fd, uint32_t id)
{
	CLEANUP_CLOSE int in = -1;
	CLEANUP_CLOSE int out = -1;
	PipeData m = { .id = id };
	int ends[2], held = 0;
	ssize_t got;

	if (ioctl(fd, FIONREAD, &held))
		return fail_errno("%s: %s: cannot be read", o->what, o->path);
	if (!held)
		return 0;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return fail_errno("pipe");
	in = ends[1];
	out = ends[0];
	if (fcntl(in, F_SETPIPE_SZ, fcntl(fd, F_GETPIPE_SZ)) < 0)
		return fail_errno("%s: %s: a pipe of the same size", o->what, o->path);
	got = tee(fd, in, (size_t)held, SPLICE_F_NONBLOCK);
	if (got != held)
		return got < 0 ? fail_errno("%s: %s: tee", o->what, o->path)
			       : fail(EIO, "%s: %s: %zd of %d bytes could be copied", o->what, o->path, got, held);
	for (int left = held; left > 0; left -= (int)got) {
		int err;

		got = read(out, image_body(&s->image), BODY_MAX);
		if (got <= 0)
			return fail_errno("%s: %s: reading the copy", o->what, o->path);
		err = SAVE_RECORD(s, RECORD_PIPE_DATA, PipeData_fields, &m, image_body(&s->image), (size_t)got);
		if (err)
			return err;
	}
	return 0;
}

/*
 * pipe2(2) with O_DIRECT marks the writing end alone (fs/pipe.c), and that one may come later, or be another process's: so all of the
 * tree's are asked, but once only where none has that.  0 or a negative errno, said.
 */
static int see_packet_mode(struct save *s, const struct opened *o, int fd, bool *packets)
{
	const int *number = (const int *)(void *)s->numbers.data;
	int held = 0;

	*packets = o->info.flags & O_DIRECT;
	if (*packets || s->no_packets || ioctl(fd, FIONREAD, &held) || !held)
		return 0;
	s->no_packets = true;
	for (const struct process *p = s->tree.processes; p < s->tree.processes + s->tree.n; p++)
		for (const int *end = number + p->descriptors; number < end; number++) {
			struct proc_fdinfo info;
			struct stat st;
			char path[32];
			int err = proc_fdinfo(p->tid, *number, &info);

			if (!err && info.flags & O_DIRECT) {
				s->no_packets = false;
				snprintf(path, sizeof(path), "/proc/%d/fd/%d", p->tid, *number);
				err = proc_lookup(path, 0, &st);
				*packets |= !err && st.st_ino == o->st.st_ino && st.st_dev == o->st.st_dev;
			}
			if (err)
				return fail_for(err, "fd %d", *number);
		}
	return 0;
}

static int save_carrier_of(struct save *s, const struct opened *o, uint32_t id)
{
	Pipe m = { .id = id };
	CLEANUP_CLOSE int fd = proc_open(o->access, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return fail_errno("%s: %s", o->what, o->path);
	m.capacity = (uint32_t)fcntl(fd, F_GETPIPE_SZ);
	err = see_packet_mode(s, o, fd, &m.packets);
	if (err)
		return err;
	if (is_fifo(o)) {
		snprintf(m.path, sizeof(m.path), "%s", o->path);
		m.unlinked = o->deleted;
	} else {	/* with two ends of its own, see restore() */
		save_next_id(s);
		save_next_id(s);
	}
	err = SAVE_RECORD(s, RECORD_PIPE, Pipe_fields, &m, NULL, 0);
	return err ? err : save_data(s, o, fd, id);
}

static int save(struct save *s, const struct opened *o)
{
	File m = { .flags = o->info.flags & (O_ACCMODE | O_NONBLOCK | O_DIRECT | ARCH_O_LARGEFILE), .mode = S_IFIFO };

	return object_save_opening(s, o, &m, save_carrier_of);
}

enum { FIFO_FLAGS = O_RDWR | O_NONBLOCK | O_NOFOLLOW };

/* One without a name, where it was: it has one for a moment, in a folder that others may write to.  -1 and errno. */
static int open_unlinked(const Pipe *m)
{
	const char *was;
	CLEANUP_CLOSE int folder = path_parent(m->path, &was);
	char name[48];
	int fd, saved;

	snprintf(name, sizeof(name), ".tinyckpt-%d-%u", getpid(), m->id);
	if (folder < 0)
		return -1;
	(void)unlinkat(folder, name, 0);	/* of a restore that was killed in that moment */
	fd = mkfifoat(folder, name, 0600) ? -1 : openat(folder, name, FIFO_FLAGS | O_CLOEXEC);
	saved = errno;
	(void)unlinkat(folder, name, 0);
	errno = saved;
	return fd;
}

static int not_opened(const Pipe *m)
{
	return errno == ENOENT ? fail(EIMAGE, "%s: the FIFO is missing", m->path) : fail_errno("%s", m->path);
}

static int restore_pipe(struct restore *r, const struct record *rec)
{
	Pipe m;
	CLEANUP_CLOSE int fd = -1;
	int ends[2] = { -1, -1 }, err = record_decode(rec, Pipe_fields, &m);
	char path[48];
	struct stat st;

	if (err)
		return err;
	if (m.path[0]) {
		fd = m.unlinked ? open_unlinked(&m) : path_open(m.path, FIFO_FLAGS, 0);
		if (fd < 0 || fstat(fd, &st))
			return not_opened(&m);
		if (!S_ISFIFO(st.st_mode))
			return fail(EIMAGE, "%s: this is no FIFO any more", m.path);
	} else {
		if (pipe2(ends, O_CLOEXEC))
			return fail_errno("pipe %u", m.id);
		/* one descriptor that is both ends: fifo_open() of fs/pipe.c serves unnamed pipes too */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0) {
			close(ends[0]);
			close(ends[1]);
			return fail_errno("pipe %u", m.id);
		}
	}
	if (m.capacity && m.capacity != (uint32_t)fcntl(fd, F_GETPIPE_SZ) && fcntl(fd, F_SETPIPE_SZ, (int)m.capacity) < 0)
		return fail_errno("pipe %u: a capacity of %u bytes", m.id, m.capacity);
	if (m.packets && fcntl(fd, F_SETFL, O_NONBLOCK | O_DIRECT))
		return fail_errno("pipe %u: packet mode", m.id);
	r->contents_of = m.id;
	err = world_add(r, scope_keep(&fd), m.id);
	/* the descriptions that pipe(2) made are told by O_LARGEFILE, which only open(2) sets: there is one of each end */
	if (!err && !m.path[0]) {
		err = world_add(r, ends[0], m.id + 1);
		if (err)
			close(ends[1]);
		else
			err = world_add(r, ends[1], m.id + 2);
	}
	return err;
}

static int restore(struct restore *r, const struct record *rec)
{
	PipeData m;
	ssize_t put;
	int err;

	if (rec->type == RECORD_PIPE)
		return restore_pipe(r, rec);
	err = record_decode(rec, PipeData_fields, &m);
	if (err)
		return err;
	if (!m.id || m.id != r->contents_of)
		return fail(EIMAGE, "data of no pipe");
	put = write(world_fd(r, m.id), rec->body, rec->body_len);
	if (put != (ssize_t)rec->body_len)
		return put < 0 ? fail_errno("pipe %u: its data", m.id) : fail(ENOSPC, "pipe %u: its data do not fit", m.id);
	return 0;
}

static int verify(struct verify *v, const struct record *rec)
{
	Pipe m;
	PipeData d;
	struct stat st;
	int err;

	if (rec->type == RECORD_PIPE_DATA) {
		err = record_decode(rec, PipeData_fields, &d);
		return !err && (!d.id || d.id != v->contents_of) ? fail(EIMAGE, "data of no pipe") : err;
	}
	err = record_decode(rec, Pipe_fields, &m);
	if (err)
		return err;
	if (v->here && m.path[0] && !m.unlinked) {
		CLEANUP_CLOSE int fd = verify_open(v, m.path, O_PATH | O_NOFOLLOW);

		if (fd < 0 || fstat(fd, &st))
			verify_note(v, not_opened(&m));
		else if (!S_ISFIFO(st.st_mode))
			verify_note(v, fail(EIMAGE, "%s: this is no FIFO any more", m.path));
	}
	v->contents_of = m.id;
	v->contents_size = 0;	/* data of a pipe are no contents of an unlinked file */
	err = verify_id(v, m.id);
	for (uint32_t end = 1; !err && end <= 2 && !m.path[0]; end++)
		err = verify_id(v, m.id + end);
	return err;
}

static void show(const struct record *rec, char *line, size_t cap)
{
	Pipe m;
	PipeData d;

	if (rec->type == RECORD_PIPE && !record_decode(rec, Pipe_fields, &m))
		snprintf(line, cap, "pipe %u: %s, room for %u bytes", m.id, m.path[0] ? m.path : "unnamed", m.capacity);
	if (rec->type == RECORD_PIPE_DATA && !record_decode(rec, PipeData_fields, &d))
		snprintf(line, cap, "data in pipe %u: %u bytes", d.id, rec->body_len);
}

static const struct object_ops pipe_object = {
	.name = "pipe",
	.records = { RECORD_PIPE, RECORD_PIPE_DATA },
	.match = match,
	.check = check,
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
};
OBJECT(pipe_object);
