/* SPDX-License-Identifier: MIT */
/* Files and directories that have a name: opened anew by it.  Also what is mapped, and where processes stand. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"
#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "objects/changed.h"
#include "objects/content.h"
#include "objects/file.h"
#include "objects/object.h"
#include "objects/open_flags.h"
#include "objects/unchanged.h"

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
	return known_kind && o->path[0] == '/' && !o->deleted && !(IS_ON_UNLINKED && object_is_mqueue(o));
}

/* Is it, in a procfs, of a process?  That is gone, or another, when the file is to be opened again; it may be gone already. */
static bool is_of_process(const struct opened *o)
{
	enum { PROC_ROOT_INO = 1 };	/* include/linux/proc_ns.h */
	char root[sizeof(o->path)];
	struct stat st;

	if (o->st.st_size || object_file_system(o) != PROC_SUPER_MAGIC)
		return false;
	for (const char *at = o->path; (at = strchr(at, '/')); at++) {
		const size_t digits = strspn(at + 1, "0123456789"), len = (size_t)(at - o->path);

		if (!digits || (at[1 + digits] && at[1 + digits] != '/'))
			continue;
		memcpy(root, o->path, len);
		root[len] = '\0';
		return !stat(root, &st) && st.st_ino == PROC_ROOT_INO;
	}
	return false;
}

void file_check(struct save *s, const struct opened *o)
{
	struct stat st;
	int flags = o->info.flags & O_PATH && o->info.flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;

	if (is_of_process(o))
		obstacle(s, "%s: %s: what /proc tells of a process: not supported", o->what, o->path);
	else if (fstatat(AT_FDCWD, o->path, &st, flags))
		obstacle(s, "%s: %s: cannot be reached by its name: %s", o->what, o->path, strerror(errno));
	else if (st.st_dev != o->st.st_dev || st.st_ino != o->st.st_ino)
		obstacle(s, "%s: %s: another file has this name now", o->what, o->path);
	if (o->info.flags & O_ASYNC)
		obstacle(s, "%s: %s: signal-driven I/O (O_ASYNC) is not supported", o->what, o->path);
}

/* What is mapped, and not for all to write to, must have the same bytes again. */
static int save_content(const struct opened *o, File *m)
{
	CLEANUP_CLOSE int fd = -1;
	int err;

	m->has_content = o->mapped && S_ISREG(o->st.st_mode) && !(o->info.flags & O_ACCMODE);
	if (!m->has_content)
		return 0;
	fd = proc_open(o->access, O_RDONLY);
	err = fd < 0 ? -errno : content_read(fd, &m->content);
	return err ? fail_for(err, "%s: %s", o->what, o->path) : 0;
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
		.mtime_ns = content_mtime(&o->st),
		.ino = o->st.st_ino,
		.mapped = o->mapped,
		.uid = o->st.st_uid,
		.gid = o->st.st_gid,
	};
	int err = save_content(o, &m);

	if (err)
		return err;
	if (IS_ON_RULES && S_ISREG(m.mode) && !(m.flags & O_PATH))
		m.action = changed_judge(s, o, &rule);
	snprintf(m.path, sizeof(m.path), "%s", o->path);
	err = IS_ON_RULES ? unchanged_note(s, &m) : 0;
	return err ? err : SAVE_RECORD(s, RECORD_FILE, File_fields, &m, NULL, 0);
}

/* What would have helped. */
#define CARRIED (IS_ON_EMBED ? "; `save --embed` carries it in the image" : "")

static int same_file(const File *m, int fd)
{
	char why[CONTENT_WHY];
	struct stat st;
	int same = 1;

	if (fstat(fd, &st))
		return fail_errno("%s", m->path);
	if ((st.st_mode & S_IFMT) != (m->mode & S_IFMT))
		return fail(EIMAGE, "%s: another kind of file has this name now", m->path);
	/* size and time are for an owner to choose, who may have put another's file there; where all bytes are compared he may */
	if (!(m->flags & O_PATH) && !m->has_content && st.st_uid != m->uid && !path_is_guarded(m->path))
		return fail(EIMAGE, "%s: it belongs to user %u now, and belonged to user %u", m->path, st.st_uid, m->uid);
	if (S_ISREG(m->mode) && !(m->flags & O_PATH)) {
		if (IS_ON_RULES && m->action != ACTION_EXACT)
			return changed_allowed(m, &st);
		same = content_same(fd, &st, m->size, m->has_content ? &m->content : NULL, m->mtime_ns, why);
	}
	if (same < 0)
		return fail_for(same, "%s", m->path);
	return same ? 0 : fail(EIMAGE, "%s: changed since the save: %s%s", m->path, why, m->has_content ? CARRIED : "");
}

/* A FIFO may have its name now, which one who opens it for both ends need not wait for. */
static bool opening_waits(const File *m)
{
	return S_ISREG(m->mode) && !(m->flags & (O_PATH | O_NONBLOCK)) && (m->flags & O_ACCMODE) != O_RDWR;
}

int file_open(struct restore *r, const struct verify *v, const File *m)
{
	const int more = m->flags & O_PATH ? 0 : O_NOCTTY | (opening_waits(m) ? O_NONBLOCK : 0);
	CLEANUP_CLOSE int fd = verify_open(v, m->path, (int)m->flags | O_CLOEXEC | more);
	int err;

	if (fd < 0 && errno == ENOENT && IS_ON_RULES && (m->action == ACTION_APPEND || m->action == ACTION_RECREATE))
		return changed_create(r, v, m);
	if (fd < 0 && (errno == EISDIR || errno == ENXIO))	/* a socket, say */
		return fail(EIMAGE, "%s: another kind of file has this name now", m->path);
	if (fd < 0 && errno == ELOOP)
		return fail(EIMAGE, "%s: a symbolic link leads there now, and not by root's will", m->path);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return fail(EIMAGE, "%s: it is missing, and the workload has it %s%s", m->path, m->mapped ? "mapped" : "open",
			    m->has_content ? CARRIED : "");
	if (fd < 0)
		return fail_errno("%s", m->path);
	err = same_file(m, fd);
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
			fd = m.flags & O_NOFOLLOW && name ? path_open(name, (int)m.flags, 0) : open_file(path, (int)m.flags);
		}
		if (fd < 0)
			return fail_errno("file %u: an unlinked file or pipe", m.id);
	} else {
		if (m.path[0] != '/')
			return fail(EIMAGE, "file %u: \"%s\" is no absolute path", m.id, m.path);
		err = IS_ON_RULES ? changed_override(r->options->rules, &m) : 0;
		fd = err ? err : file_open(r, NULL, &m);
		if (fd < 0)
			return fd;
		if (opening_waits(&m) && fcntl(fd, F_SETFL, m.flags) < 0)
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
		fd = err ? err : file_open(NULL, v, &m);
		if (fd < 0)
			verify_note(v, fd);
		else if (m.mapped)
			verify_mapped(v, m.id, m.path, fd);
	}
	return verify_id(v, m.id);
}

static void show(const struct record *rec, char *line, size_t cap)
{
	File m;
	char build_id[BUILD_ID_TEXT], text[OPEN_FLAGS_TEXT];
	const char *flags;

	if (record_decode(rec, File_fields, &m))
		return;
	flags = open_flags_text(m.flags, text);
	if (m.of)
		snprintf(line, cap, "file %u: opens %u, %s, at %" PRIu64, m.id, m.of, flags, m.pos);
	else
		snprintf(line, cap, "file %u: %s, %s, at %" PRIu64 " of %" PRIu64 "%s%s%s%s%s", m.id, m.path, flags, m.pos, m.size,
			 m.mapped ? ", mapped" : "", IS_ON_EMBED && m.content.build_id.size ? ", build-id " : "",
			 IS_ON_EMBED && m.content.build_id.size ? build_id_text(&m.content.build_id, build_id) : "",
			 IS_ON_RULES && m.action ? ", " : "", IS_ON_RULES && m.action ? rule_action_name(m.action) : "");
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
