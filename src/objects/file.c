/* SPDX-License-Identifier: MIT */
/* Files and directories that have a name: opened anew by it.  Also what is mapped, and where processes stand. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "objects/changed.h"
#include "objects/file.h"
#include "objects/object.h"

/* What open(2) may be told again.  O_CREAT and its kin are not kept by the kernel; O_ASYNC wants an owner. */
static const unsigned int FLAGS = O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECT | O_DIRECTORY | O_NOFOLLOW |
				  O_NOATIME | O_PATH;

static bool match(const struct save *s, const struct opened *o)
{
	bool known_kind = S_ISREG(o->st.st_mode) || S_ISDIR(o->st.st_mode);

	(void)s;
	/* an O_PATH descriptor is but a name, of whatever it may be */
	if (o->info.flags & O_PATH)
		known_kind = !S_ISSOCK(o->st.st_mode) || o->path[0] == '/';
	return known_kind && o->path[0] == '/' && !o->deleted;
}

void file_check(struct save *s, const struct opened *o)
{
	struct stat st;
	int flags = o->info.flags & O_PATH && o->info.flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;

	if (fstatat(AT_FDCWD, o->path, &st, flags))
		obstacle(s, "%s: %s: cannot be reached by its name: %s", o->what, o->path, strerror(errno));
	else if (st.st_dev != o->st.st_dev || st.st_ino != o->st.st_ino)
		obstacle(s, "%s: %s: another file has this name now", o->what, o->path);
	if (o->info.flags & O_ASYNC)
		obstacle(s, "%s: %s: signal-driven I/O (O_ASYNC) is not supported", o->what, o->path);
}

static int save(struct save *s, const struct opened *o)
{
	const struct rule *rule;
	File m = {
		.id = save_next_id(s),
		.flags = o->info.flags & FLAGS,
		.pos = o->info.pos,
		.mode = o->st.st_mode,
		.size = (uint64_t)o->st.st_size,
		.mtime_ns = file_mtime_ns(&o->st),
		.ino = o->st.st_ino,
		.mapped = o->mapped,
		.uid = o->st.st_uid,
		.gid = o->st.st_gid,
	};

	if (IS_ON_RULES && S_ISREG(m.mode) && !(m.flags & O_PATH))
		m.action = changed_judge(s, o, &rule);
	snprintf(m.path, sizeof(m.path), "%s", o->path);
	return SAVE_RECORD(s, RECORD_FILE, File_fields, &m, NULL, 0);
}

static int same_file(const File *m, const struct stat *st)
{
	if ((st->st_mode & S_IFMT) != (m->mode & S_IFMT))
		return fail(EIMAGE, "%s: another kind of file has this name now", m->path);
	if (!S_ISREG(m->mode) || m->flags & O_PATH)
		return 0;
	if (IS_ON_RULES && m->action != ACTION_EXACT)
		return changed_allowed(m, st);
	if ((uint64_t)st->st_size != m->size)
		return fail(EIMAGE, "%s: changed since the save: %" PRIu64 " bytes then, %lld now", m->path, m->size,
			    (long long)st->st_size);
	if (file_mtime_ns(st) != m->mtime_ns)
		return fail(EIMAGE, "%s: changed since the save (time of modification)", m->path);
	return 0;
}

int file_open(struct restore *r, const File *m)
{
	CLEANUP_CLOSE int fd = open(m->path, (int)m->flags | O_CLOEXEC | O_NOCTTY | (S_ISREG(m->mode) ? O_NONBLOCK : 0));
	struct stat st;
	int err;

	if (fd < 0 && errno == ENOENT && IS_ON_RULES && (m->action == ACTION_APPEND || m->action == ACTION_RECREATE))
		return changed_create(r, m);
	if (fd < 0 && errno == ENOENT)
		return fail(EIMAGE, "%s: it is missing, and the workload has it %s", m->path, m->mapped ? "mapped" : "open");
	if (fd < 0 && errno == EISDIR)
		return same_file(m, &(struct stat){ .st_mode = S_IFDIR });
	if (fd < 0 || fstat(fd, &st))
		return fail_errno("%s", m->path);
	err = same_file(m, &st);
	return err ? err : scope_keep(&fd);
}

static int restore(struct restore *r, const struct record *rec)
{
	File m;
	char path[48];
	CLEANUP_CLOSE int fd = -1;
	bool largefile;
	int err = record_decode(rec, File_fields, &m);

	if (err)
		return err;
	largefile = m.flags & ARCH_O_LARGEFILE;
	m.flags &= FLAGS;
	if (m.of) {	/* of a pipe or an unlinked file that the world has already */
		const char *name = NULL;
		int carrier = world_fd(r, m.of);

		world_contents_end(r);
		if (IS_ON_RULES)
			m.action = changed_carrier(r, m.of, &name);
		if (carrier < 0)
			return fail(EIMAGE, "file %u: refers to %u, which does not come before it", m.id, m.of);
		if (S_ISFIFO(m.mode) && !largefile) {	/* as pipe(2) made it: see pipe.c */
			fd = dup(world_fd(r, m.of + ((m.flags & O_ACCMODE) == O_RDONLY ? 1 : 2)));
			if (fd >= 0 && fcntl(fd, F_SETFL, m.flags & (O_NONBLOCK | O_DIRECT)))
				return fail_errno("file %u: a pipe", m.id);
		} else {
			snprintf(path, sizeof(path), "/proc/self/fd/%d", carrier);
			fd = open(m.flags & O_NOFOLLOW && name ? name : path, (int)m.flags | O_CLOEXEC);
		}
		if (fd < 0)
			return fail_errno("file %u: an unlinked file or pipe", m.id);
	} else {
		if (m.path[0] != '/')
			return fail(EIMAGE, "file %u: \"%s\" is no absolute path", m.id, m.path);
		err = IS_ON_RULES ? changed_override(r->options->rules, &m) : 0;
		fd = err ? err : file_open(r, &m);
		if (fd < 0)
			return fd;
		if (!(m.flags & (O_PATH | O_NONBLOCK)) && S_ISREG(m.mode) && fcntl(fd, F_SETFL, m.flags) < 0)
			return fail_errno("%s: F_SETFL", m.path);
	}
	if (IS_ON_RULES && m.action != ACTION_EXACT && !(m.flags & O_PATH))
		err = changed_position(fd, &m);
	if (err)
		return err;
	if (m.pos && !(m.flags & O_PATH) && !S_ISFIFO(m.mode) && lseek(fd, (off_t)m.pos, SEEK_SET) < 0)
		return fail_errno("%s: lseek to %" PRIu64, m.path, m.pos);
	return world_add(r, scope_keep(&fd), m.id);
}

static int verify(struct verify *v, const struct record *rec)
{
	File m;
	CLEANUP_CLOSE int fd = -1;
	int err = record_decode(rec, File_fields, &m);

	if (!err && (m.of ? !verify_known(v, m.of) : m.path[0] != '/'))
		err = fail(EIMAGE, "file %u: \"%s\" is no absolute path, or refers to %u, which does not come before it", m.id, m.path,
			   m.of);
	if (err)
		return err;
	v->contents_of = 0;
	m.flags &= FLAGS;
	if (v->here && !m.of) {
		err = IS_ON_RULES ? changed_override(v->rules, &m) : 0;
		fd = err ? err : file_open(NULL, &m);
		if (fd < 0)
			verify_note(v, fd);
	}
	return verify_id(v, m.id);
}

static void show(const struct record *rec, char *line, size_t cap)
{
	File m;

	if (record_decode(rec, File_fields, &m))
		return;
	if (m.of)
		snprintf(line, cap, "file %u: opens %u, flags %#o, at %" PRIu64, m.id, m.of, m.flags, m.pos);
	else
		snprintf(line, cap, "file %u: %s, flags %#o, at %" PRIu64 " of %" PRIu64 "%s%s%s", m.id, m.path, m.flags, m.pos, m.size,
			 m.mapped ? ", mapped" : "", IS_ON_RULES && m.action ? ", " : "",
			 IS_ON_RULES && m.action ? rule_action_name(m.action) : "");
}

static const struct object_ops file = {
	.name = "file",
	.records = { RECORD_FILE },
	.match = match,
	.check = file_check,
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
	.kind = IF_RULES("file"),
	.actions = IF_RULES(ACTION_BIT(ACTION_EXACT) | ACTION_BIT(ACTION_GROW) | ACTION_BIT(ACTION_APPEND) |
			    ACTION_BIT(ACTION_RECREATE) | ACTIONS_OF_PATHS),
	.judge = IF_RULES(changed_judge),
};
OBJECT(file);
