/* SPDX-License-Identifier: MIT */
/*
 * Programs, libraries and other mapped files that travel in the image (save --embed).  Where such a file is missing by then, or
 * another one, restore makes a stand-in, one for all processes that have it: memory (memfd) with its contents.  A stand-in's name
 * tells which file it stands for, so that it travels with the next image in any case, and the restore of that one takes the file
 * itself again where it is back.
 */
#include "objects/embed.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"
#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "kernel/abi.h"
#include "kernel/lacking.h"
#include "kernel/root_fs.h"
#include "objects/content.h"
#include "objects/object.h"
#include "objects/unlinked.h"

/*
 * Names of stand-ins, as the kernel tells them: of memory, and of a file beside the image, where memory is not to be executed
 * (vm.memfd_noexec), or the kernel makes none; in that one's name each '/' of the path is a '\'.
 */
static const char MEMORY[] = "/memfd:tinyckpt:", BESIDE[] = "/.tinyckpt:";
enum { MEMORY_LEN = sizeof(MEMORY) - 1, BESIDE_LEN = sizeof(BESIDE) - 1, PATH_LEN = 240 /* MFD_NAME_MAX_LEN is 249 */ };

bool embed_is_memory(const char *name)
{
	return !strncmp(name, MEMORY, MEMORY_LEN);
}

static void exchange(char *text, char from, char to)
{
	while ((text = strchr(text, from)))
		*text = to;
}

static bool has_name(const char *path)
{
	return path[0] == '/' && strlen(path) <= PATH_LEN && !strchr(path, '\\');
}

/* Is it a stand-in, and for which path?  Names are free for all to choose; files of the tool's own user are not. */
static bool stands_for(const struct opened *o, char path[PATH_LEN + 1])
{
	const char *slash = strrchr(o->path, '/');

	if (!o->deleted || o->st.st_uid != geteuid())
		return false;
	if (embed_is_memory(o->path)) {
		snprintf(path, PATH_LEN + 1, "%.*s", PATH_LEN, o->path + MEMORY_LEN);
		return has_name(path);
	}
	if (!slash || strncmp(slash, BESIDE, BESIDE_LEN))
		return false;
	snprintf(path, PATH_LEN + 1, "%.*s", PATH_LEN, slash + BESIDE_LEN);
	exchange(path, '\\', '/');
	return has_name(path);
}

/* Programs (also scripts, which their interpreters hold open) and libraries; of other files those that are mapped, if at risk. */
static bool wanted(const struct save *s, const struct opened *o)
{
	CLEANUP_CLOSE int fd = -1;
	char magic[SELFMAG];
	bool program;

	if (!s->options->embed || o->deleted || o->path[0] != '/')
		return false;
	fd = proc_open(o->access, O_RDONLY);
	if (fd < 0)
		return false;
	program = !pread_all(fd, magic, SELFMAG, 0) && (!memcmp(magic, ELFMAG, SELFMAG) || !memcmp(magic, "#!", 2));
	return (o->mapped || program) && ((program && s->options->embed == EMBED_ALL) || root_fs_has(fd));
}

static bool match(const struct save *s, const struct opened *o)
{
	char path[PATH_LEN + 1];

	return S_ISREG(o->st.st_mode) && !(o->info.flags & (O_ACCMODE | O_PATH | O_ASYNC | O_DIRECT)) &&
	       (stands_for(o, path) || wanted(s, o));
}

static void check(struct save *s, const struct opened *o)
{
	if (!o->deleted && !has_name(o->path))
		obstacle(s, "%s: %s: its path is longer than %u bytes, or has a \\, and cannot be carried in the image", o->what,
			 o->path, PATH_LEN);
}

static int save_file(struct save *s, const struct opened *o, uint32_t id)
{
	CLEANUP_CLOSE int fd = proc_open(o->access, O_RDONLY);
	Embedded m = { .id = id, .mode = o->st.st_mode, .size = (uint64_t)o->st.st_size, .has_content = true };
	int err = fd < 0 ? -errno : content_read(fd, &m.content);

	if (err)
		return fail_for(err, "%s: %s: cannot be read", o->what, o->path);
	if (!stands_for(o, m.path))
		snprintf(m.path, sizeof(m.path), "%.*s", PATH_LEN, o->path);
	log_info("%s: carried in the image, %" PRIu64 " bytes", m.path, m.size);
	err = SAVE_RECORD(s, RECORD_EMBEDDED, Embedded_fields, &m, NULL, 0);
	return err ? err : unlinked_save_contents(s, o, id, false);
}

static int save(struct save *s, const struct opened *o)
{
	File m = {
		.flags = o->info.flags & (O_NONBLOCK | O_NOATIME),
		.pos = o->info.pos,
		.mode = o->st.st_mode,
		.mapped = o->mapped,
	};

	return object_save_opening(s, o, &m, save_file);
}

static int decode(const struct record *rec, Embedded *m)
{
	int err = record_decode(rec, Embedded_fields, m);

	if (!err && (!has_name(m->path) || m->size > INT64_MAX || !S_ISREG(m->mode) || !m->has_content))
		err = fail(EIMAGE, "embedded file %u: an absurd path or size", m->id);
	return err;
}

/* The file itself, where it is and has not changed; else -1: the reason is told to those who want to know. */
static int open_itself(const struct verify *v, const Embedded *m)
{
	CLEANUP_CLOSE int fd = verify_open(v, m->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	char why[CONTENT_WHY];
	struct stat st;
	int same;

	if (fd < 0 || fstat(fd, &st))
		same = -errno;
	else
		same = S_ISREG(st.st_mode) ? content_same(fd, &st, m->size, &m->content, 0, why) : -EINVAL;
	if (same > 0)
		return scope_keep(&fd);
	log_info("%s: from the image, as here it %s%s", m->path, same ? "cannot be had: " : "has changed: ", same ? strerror(-same) : why);
	return -1;
}

static int in_memory(const Embedded *m, unsigned int may)
{
	char name[MEMORY_LEN + PATH_LEN];
	int fd;

	snprintf(name, sizeof(name), "%s%s", MEMORY + strlen("/memfd:"), m->path);
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | may);
	if (fd < 0 && errno == EINVAL)	/* before Linux 6.3 all may be executed */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

/* Its name is there for a moment only, to be told by the kernel as that of a deleted file. */
static int beside_image(const struct restore *r, const Embedded *m)
{
	const char *slash = strrchr(r->options->image, '/');
	char path[PATH_MAX], *name;
	CLEANUP_CLOSE int fd = -1;
	int len = snprintf(path, sizeof(path), "%.*s", slash ? (int)(slash - r->options->image) : 1, slash ? r->options->image : ".");

	if (!strcmp(r->options->image, "-") || (size_t)len + BESIDE_LEN + PATH_LEN >= sizeof(path))
		return -1;
	name = path + len + 1;
	snprintf(path + len, sizeof(path) - (size_t)len, "%s%s", BESIDE, m->path);
	exchange(name, '/', '\\');
	unlink(path);	/* of a restore that the power left in between */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	unlink(path);
	return path_is_noexec(fd) ? -1 : scope_keep(&fd);
}

/* A stand-in that is filled by the contents which come next. */
static int make_stand_in(struct restore *r, const Embedded *m)
{
	CLEANUP_CLOSE int fd = -1;
	const bool program = m->mode & 0111;
	char link[32];
	int keeper;

	fd = in_memory(m, program ? MFD_EXEC : MFD_NOEXEC_SEAL);
	if (fd < 0)
		fd = beside_image(r, m);
	if (fd < 0 && program)	/* libraries often look like programs, and are mapped, not executed */
		fd = in_memory(m, MFD_NOEXEC_SEAL);
	if (fd < 0 || ftruncate(fd, (off_t)m->size))
		return FAIL_CALL(SYS_memfd_create, "%s: memory for it (%" PRIu64 " bytes)", m->path, m->size);
	/* for all to read, as it is the tool's own; MFD_NOEXEC_SEAL does without the rest */
	if (fchmod(fd, 0444 | (m->mode & 0111)) && fchmod(fd, 0444))
		return fail_errno("%s: its mode", m->path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	keeper = open(link, O_RDONLY | O_CLOEXEC);	/* what is open for writing can be no program */
	if (keeper < 0)
		return fail_errno("%s", m->path);
	r->contents_fd = scope_keep(&fd);
	return keeper;
}

static int restore(struct restore *r, const struct record *rec)
{
	Embedded m;
	int fd, err = decode(rec, &m);

	if (err)
		return err;
	world_contents_end(r);
	fd = open_itself(NULL, &m);
	if (fd < 0)
		fd = make_stand_in(r, &m);
	if (fd < 0)
		return fd;
	r->contents_of = m.id;
	r->contents_size = m.size;
	r->contents_huge = 0;
	return world_add(r, fd, m.id);
}

static int verify(struct verify *v, const struct record *rec)
{
	Embedded m;
	CLEANUP_CLOSE int fd = -1;
	int err = decode(rec, &m);

	if (err)
		return err;
	if (v->here) {
		fd = open_itself(v, &m);
		v->carried += fd < 0;
	}
	v->contents_of = m.id;
	v->contents_size = m.size;
	return verify_id(v, m.id);
}

static void show(const struct record *rec, char *line, size_t cap)
{
	Embedded m;
	char build_id[BUILD_ID_TEXT];

	if (!record_decode(rec, Embedded_fields, &m))
		snprintf(line, cap, "embedded %u: %s, %" PRIu64 " bytes, build-id %s", m.id, m.path, m.size,
			 build_id_text(&m.content.build_id, build_id));
}

static const struct object_ops embed = {
	.name = "embedded file",
	.records = { RECORD_EMBEDDED },
	.match = match,
	.check = check,
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
};
OBJECT(embed);
