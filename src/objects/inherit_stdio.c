/* SPDX-License-Identifier: MIT */
/* Standard streams that come from outside: with --inherit-stdio they become those of restore. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "objects/object.h"
#include "objects/outside.h"

/* A terminal, a socket, or a pipe that leads out; a file or /dev/null needs no replacement. */
static bool is_foreign(const struct save *s, const struct opened *o)
{
	pid_t pid;
	char comm[64];

	if (S_ISFIFO(o->st.st_mode))
		return outside_holder((struct save *)(uintptr_t)s, o, &pid, comm);
	return S_ISSOCK(o->st.st_mode) || (S_ISCHR(o->st.st_mode) && (strncmp(o->path, "/dev/pts/", 9) == 0 ||
								      strncmp(o->path, "/dev/tty", 8) == 0 ||
								      strncmp(o->path, "/dev/console", 12) == 0));
}

static int stream(const struct save *s, const struct opened *o)
{
	for (int i = 0; i < 3; i++)
		if (s->stdio[i].fd == i && s->stdio[i].st.st_ino == o->st.st_ino && s->stdio[i].st.st_dev == o->st.st_dev)
			return i;
	return -1;
}

static bool match(const struct save *s, const struct opened *o)
{
	return s->options->inherit_stdio && !o->mapped && o->fd >= 0 && stream(s, o) >= 0 && is_foreign(s, o);
}

static int save(struct save *s, const struct opened *o)
{
	int i = stream(s, o);
	Inherited m = { .id = save_next_id(s) };

	/* the same number where it is the same thing, so that 1 and 2 stay apart when restore's are */
	m.stream = (uint32_t)(o->fd <= 2 && s->stdio[o->fd].fd == o->fd ? o->fd : i);
	return SAVE_RECORD(s, RECORD_INHERITED, Inherited_fields, &m, NULL, 0);
}

static int decode(const struct record *rec, Inherited *m)
{
	int err = record_decode(rec, Inherited_fields, m);

	return !err && m->stream > 2 ? fail(EIMAGE, "inherited stream %u: there are only 0, 1 and 2", m->stream) : err;
}

/* Which streams restore will have is not known here. */
static int verify(struct verify *v, const struct record *rec)
{
	Inherited m;
	int err = decode(rec, &m);

	return err ? err : verify_id(v, m.id);
}

static int restore(struct restore *r, const struct record *rec)
{
	Inherited m;
	int fd, err = decode(rec, &m);

	if (err)
		return err;
	fd = fcntl((int)m.stream, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return fail_errno("the workload wants to inherit stream %u, which is closed", m.stream);
	return world_add(r, fd, m.id);
}

static void show(const struct record *rec, char *line, size_t cap)
{
	Inherited m;

	if (!record_decode(rec, Inherited_fields, &m))
		snprintf(line, cap, "inherited %u: stream %u of restore", m.id, m.stream);
}

static const struct object_ops inherit_stdio = {
	.name = "inherited stream",
	.records = { RECORD_INHERITED },
	.match = match,
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
};
OBJECT(inherit_stdio);
