/* SPDX-License-Identifier: MIT */
/*
 * Files whose content goes along (rule `snapshot`).  Each is written anew beside the one that has its name then, opened there
 * by all who had it open or mapped, and takes the name when everything else has succeeded: before that nothing has changed, and
 * who else has the old one open keeps it as it is.  One that is as it was is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"
#include "image/crc32c.h"
#include "job/verify.h"
#include "objects/changed.h"
#include "objects/content.h"
#include "objects/file.h"
#include "objects/object.h"
#include "objects/unlinked.h"

/* Against a pattern that means more than was meant. */
static const uint64_t CARRIED_MAX = 64 << 20;

/* Of the name so much goes into that of the new file, which a later restore finds again if this one is killed. */
enum { NAME_PART = 200 };

static bool match(const struct save *s, const struct opened *o)
{
	const struct rule *rule;

	return o->path[0] == '/' && changed_judge(s, o, &rule) == ACTION_SNAPSHOT;
}

static void check(struct save *s, const struct opened *o)
{
	uint64_t bytes = (uint64_t)o->st.st_blocks * 512;

	file_check(s, o);
	if (o->st.st_nlink > 1)
		obstacle(s, "%s: %s: snapshot: it has other names (hard links): not supported", o->what, o->path);
	if (unlinked_has_attributes(o))
		obstacle(s, "%s: %s: snapshot: it has extended attributes or ACLs: not supported", o->what, o->path);
	if (bytes > CARRIED_MAX)
		obstacle(s, "%s: %s: snapshot: it has %" PRIu64 " bytes, and at most %" PRIu64 " go along", o->what, o->path, bytes,
			 CARRIED_MAX);
}

static int save_content(struct save *s, const struct opened *o, uint32_t id)
{
	Snapshot m = {
		.id = id,
		.mode = o->st.st_mode,
		.uid = o->st.st_uid,
		.gid = o->st.st_gid,
		.size = (uint64_t)o->st.st_size,
		.mtime_ns = content_mtime(&o->st),
	};
	int err;

	snprintf(m.path, sizeof(m.path), "%s", o->path);
	err = SAVE_RECORD(s, RECORD_SNAPSHOT, Snapshot_fields, &m, NULL, 0);
	return err ? err : unlinked_save_contents(s, o, id, false);
}

static int save(struct save *s, const struct opened *o)
{
	const unsigned int flags = O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECT | O_NOATIME | O_PATH | O_NOFOLLOW;
	File m = {
		.flags = o->info.flags & flags,
		.pos = o->info.pos,
		.mode = o->st.st_mode,
		.size = (uint64_t)o->st.st_size,
		.mtime_ns = content_mtime(&o->st),
		.mapped = o->mapped,
	};

	return object_save_opening(s, o, &m, save_content);
}

/* As the file is to be found by its name. */
static int decode(const struct record *rec, const struct rules *rules, Snapshot *m, File *as_file)
{
	const struct rule *rule;
	int err = record_decode(rec, Snapshot_fields, m);
	const char *name = err ? NULL : strrchr(m->path, '/');

	if (!err && (m->path[0] != '/' || !name[1] || !S_ISREG(m->mode) || m->size > INT64_MAX))
		err = fail(EIMAGE, "file %u: \"%s\": an absurd path, size or mode", m->id, m->path);
	if (err)
		return err;
	*as_file = (File){ .id = m->id, .flags = O_RDONLY | O_NOFOLLOW, .mode = m->mode, .size = m->size, .mtime_ns = m->mtime_ns,
			   .uid = m->uid, .gid = m->gid };
	memcpy(as_file->path, m->path, sizeof(as_file->path));
	rule = rules_find(rules, "file", m->path);
	as_file->action = rule ? rule->action : ACTION_SNAPSHOT;
	return 0;
}

/* 1: it is as it was, 0: it is to be written, or a negative error, said. */
static int look(const struct verify *v, const File *m)
{
	CLEANUP_CLOSE int fd = verify_open(v, m->path, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return errno == ENOENT ? 0 : fail(EIMAGE, "%s: %s", m->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(EIMAGE, "%s: another kind of file has this name now", m->path);
	return (uint64_t)st.st_size == m->size && content_mtime(&st) == m->mtime_ns;
}

static char *name_beside(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const size_t len = strlen(name), cap = strlen(path) + 32;
	char *beside = malloc(cap);

	if (!beside)
		return NULL;
	snprintf(beside, cap, "%.*s.%.*s.tinyckpt", (int)(name - path), path, NAME_PART, name);
	if (len > NAME_PART)	/* others may begin like this */
		snprintf(beside, cap, "%.*s.%.*s.%x.tinyckpt", (int)(name - path), path, NAME_PART, name, crc32c(0, name, len));
	return beside;
}

static int no_place(const File *m, int err)
{
	return fail(EIMAGE, "%s: there is no place for its content: %s", m->path, strerror(err));
}

/* An empty file beside it, for the contents that come: a descriptor that only reads, or a negative error, said. */
static int make_beside(struct restore *r, const File *m)
{
	struct remade made = {
		.id = m->id, .action = ACTION_SNAPSHOT, .mtime_s = (int64_t)(m->mtime_ns / 1000000000u),
		.mtime_ns = (uint32_t)(m->mtime_ns % 1000000000u), .name = name_beside(m->path), .target = strdup(m->path),
	};
	const char *name = made.name;
	CLEANUP_CLOSE int fd = -1;
	int keeper = -1, err;
	char path[48];

	if (!made.name || !made.target)
		return fail(ENOMEM, "out of memory");
	err = changed_note(r, &made);
	if (err)
		return err;
	path_unlink(name);
	fd = path_open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return no_place(m, errno);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ftruncate(fd, (off_t)m->size) || fchown(fd, m->uid, m->gid) || fchmod(fd, m->mode & 07777) ||
	    (keeper = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return fail_errno("%s: giving it back its content", m->path);
	r->contents_fd = scope_keep(&fd);
	return keeper;
}

static int restore(struct restore *r, const struct record *rec)
{
	struct remade made = { 0 };	/* it is here */
	Snapshot m;
	File file;
	int fd, err = decode(rec, r->options->rules, &m, &file), same = 0;

	if (err)
		return err;
	if (file.action == ACTION_SNAPSHOT)
		same = look(NULL, &file);
	if (same < 0)
		return same;
	world_contents_end(r);
	if (file.action == ACTION_SNAPSHOT && !same) {
		fd = make_beside(r, &file);
	} else {
		made.id = m.id;
		made.action = (uint8_t)file.action;
		made.target = strdup(m.path);
		err = made.target ? changed_note(r, &made) : fail(ENOMEM, "out of memory");
		if (err)
			return err;
		if (same)
			file.action = ACTION_EXACT;
		fd = file_open(r, NULL, &file);
	}
	if (fd < 0)
		return fd;
	r->contents_of = m.id;
	r->contents_size = m.size;
	r->contents_huge = 0;
	return world_add(r, fd, m.id);
}

/* Of its directory: there, writable, with room. */
static void check_room(struct verify *v, const File *m)
{
	char directory[sizeof(m->path)];
	CLEANUP_CLOSE int fd = -1;
	struct statvfs fs;

	snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(m->path, '/') + 1 - m->path), m->path);
	fd = verify_open(v, directory, O_PATH | O_DIRECTORY);
	if (fd < 0 || fstatvfs(fd, &fs))
		verify_note(v, no_place(m, errno));
	else if (fs.f_flag & ST_RDONLY)
		verify_note(v, no_place(m, EROFS));
	/* one that has no blocks to tell of (ramfs) takes as much as there is memory */
	else if (fs.f_blocks && (uint64_t)fs.f_bavail * fs.f_frsize < m->size)
		verify_note(v, fail_for(ENOSPC, "%s: its content of %" PRIu64 " bytes", m->path, m->size));
}

static int verify(struct verify *v, const struct record *rec)
{
	Snapshot m;
	File file;
	int err = decode(rec, v->rules, &m, &file), here = 0;

	if (err)
		return err;
	v->contents_of = m.id;
	v->contents_size = m.size;
	if (v->here) {
		here = file.action == ACTION_SNAPSHOT ? look(v, &file) : file_open(NULL, v, &file);
		if (here < 0)
			verify_note(v, here);
		else if (file.action != ACTION_SNAPSHOT)
			close(here);
		else if (!here)
			check_room(v, &file);
	}
	return verify_id(v, m.id);
}

static void show(const struct record *rec, char *line, size_t cap)
{
	Snapshot m;

	if (!record_decode(rec, Snapshot_fields, &m))
		snprintf(line, cap, "snapshot %u: %s, %" PRIu64 " bytes", m.id, m.path, m.size);
}

static const struct object_ops carried = {
	.name = "file",
	.records = { RECORD_SNAPSHOT },
	.match = match,
	.check = check,
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
	.kind = "file",
	.actions = ACTION_BIT(ACTION_SNAPSHOT),
	.judge = changed_judge,
};
OBJECT(carried);
