/* SPDX-License-Identifier: MIT */
/*
 * Files without a name that are still open or mapped, and shared anonymous memory (to the kernel an unlinked file of
 * an internal tmpfs).  Their contents travel in the image, holes stay holes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "kernel/procfs.h"
#include "objects/object.h"
#include "objects/unlinked.h"

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

/* So the kernel calls shared memory of huge pages; its inode's block size is that of the pages. */
static const char HUGE_MEMORY[] = "/anon_hugepage";

static bool is_shared_memory(const struct opened *o)
{
	return o->mapped && (!strcmp(o->path, "/dev/zero") || !strcmp(o->path, HUGE_MEMORY));
}

/* What looks like an unlinked file, and is something of the kernel's own. */
static bool is_kernels_own(const struct opened *o)
{
	static const char *const names[] = { "/memfd:", "/SYSV", "/[aio]", "/secretmem" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(o->path, names[i], strlen(names[i])))
			return true;
	return object_is_mqueue(o) || object_file_system(o) == PROC_SUPER_MAGIC;
}

static bool match(const struct save *s, const struct opened *o)
{
	(void)s;
	return S_ISREG(o->st.st_mode) && o->deleted && o->path[0] == '/' && !(o->info.flags & O_PATH) && !is_kernels_own(o);
}

bool unlinked_has_attributes(const struct opened *o)
{
	char names[4096];
	CLEANUP_CLOSE int fd = proc_open(o->access, O_RDONLY);
	ssize_t len = flistxattr(fd, names, sizeof(names));

	if (len < 0)
		return errno != ENOTSUP;
	for (const char *name = names; name < names + len; name += strlen(name) + 1)
		if (strcmp(name, "security.selinux") && strcmp(name, "security.SMACK64"))
			return true;
	return false;
}

/* An overlay goes on counting the name that is hidden in a layer below. */
static bool has_names(const struct opened *o)
{
	const bool hidden = o->st.st_nlink == 1 && object_file_system(o) == OVERLAYFS_SUPER_MAGIC;

	return o->st.st_nlink > 0 && !hidden && !is_shared_memory(o);
}

static void check(struct save *s, const struct opened *o)
{
	if (has_names(o))
		obstacle(s, "%s: %s: this name is gone but the file has others (hard links): not supported", o->what, o->path);
	if (!is_shared_memory(o) && unlinked_has_attributes(o))
		obstacle(s, "%s: %s: an unlinked file with extended attributes or ACLs: not supported", o->what, o->path);
	if (o->info.flags & O_ASYNC)
		obstacle(s, "%s: %s: signal-driven I/O (O_ASYNC) is not supported", o->what, o->path);
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return !*bytes && !memcmp(bytes, bytes + 1, len - 1);
}

int unlinked_save_contents(struct save *s, const struct opened *o, uint32_t id, bool sparse)
{
	CLEANUP_CLOSE int fd = proc_open(o->access, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	off_t at = 0, end;

	if (fd < 0)
		return fail_errno("%s: %s: cannot be read", o->what, o->path);
	while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
		end = lseek(fd, at, SEEK_HOLE);
		if (end < 0)
			return fail_errno("%s: %s: SEEK_HOLE", o->what, o->path);
		while (at < end) {
			size_t len = end - at < BODY_MAX ? (size_t)(end - at) : BODY_MAX;
			Contents m = { .id = id, .offset = (uint64_t)at };
			int err = save_look(s);

			if (err)
				return err;
			err = pread_all(fd, image_body(&s->image), len, (uint64_t)at);
			if (err)
				return fail_for(err, "%s: %s", o->what, o->path);
			at += (off_t)len;
			if (sparse && is_zero(image_body(&s->image), len))
				continue;
			err = SAVE_RECORD(s, RECORD_CONTENTS, Contents_fields, &m, image_body(&s->image), len);
			if (err)
				return err;
		}
	}
	return errno == ENXIO ? 0 : fail_errno("%s: %s: SEEK_DATA", o->what, o->path);
}

static int save_inode(struct save *s, const struct opened *o, uint32_t id)
{
	Unlinked m = {
		.id = id,
		.mode = o->st.st_mode & 07777,
		.uid = o->st.st_uid,
		.gid = o->st.st_gid,
		.size = (uint64_t)o->st.st_size,
		.shared_memory = is_shared_memory(o),
		.huge = strcmp(o->path, HUGE_MEMORY) ? 0 : (uint64_t)o->st.st_blksize,
	};
	const char *slash = strrchr(o->path, '/');
	int err;

	if (!m.shared_memory)
		snprintf(m.directory, sizeof(m.directory), "%.*s", slash == o->path ? 1 : (int)(slash - o->path), o->path);
	err = SAVE_RECORD(s, RECORD_UNLINKED, Unlinked_fields, &m, NULL, 0);
	return err ? err : unlinked_save_contents(s, o, id, m.huge != 0);
}

static int save(struct save *s, const struct opened *o)
{
	File m = {
		.flags = o->info.flags & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECT | O_NOATIME),
		.pos = o->info.pos,
		.mode = o->st.st_mode,
		.mapped = o->mapped,
	};
	uint32_t carrier;
	bool known;
	int err = save_carrier(s, o->st.st_dev, o->st.st_ino, &carrier, &known);

	if (!err && !known)
		err = save_inode(s, o, carrier);
	if (err)
		return err;
	m.of = carrier;
	m.id = save_next_id(s);
	return SAVE_RECORD(s, RECORD_FILE, File_fields, &m, NULL, 0);
}

/* Shared anonymous memory as mmap(2) makes it; a descriptor for it comes from our own map_files. */
static int open_shared_memory(const Unlinked *m)
{
	const size_t size = (size_t)m->size;
	const int huge = m->huge ? (int)(MAP_HUGETLB | (unsigned int)__builtin_ctzll(m->huge) << MAP_HUGE_SHIFT) : 0;
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | huge, -1, 0);
	char path[64];
	int fd;

	if (map == MAP_FAILED)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/map_files/%" PRIxPTR "-%" PRIxPTR, (uintptr_t)map, (uintptr_t)map + size);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	munmap(map, size);
	return fd;
}

static void say_memory(const Unlinked *m)
{
	log_warning("%s: no unlinked file can be made there (%s): it will lie in memory", m->directory, strerror(errno));
}

static int open_unnamed(const Unlinked *m)
{
	char path[4096 + 32];
	int fd = open(m->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, m->mode);

	if (fd >= 0)
		return fd;
	/* a file system without O_TMPFILE, such as overlay on an old kernel, JFFS2, 9p */
	snprintf(path, sizeof(path), "%s/.tinyckpt-%d-%u", m->directory, getpid(), m->id);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, m->mode);
	if (fd >= 0) {
		unlink(path);
		return fd;
	}
	say_memory(m);
	fd = memfd_create("unlinked", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The world's own descriptor only reads: a program that is open for writing somewhere cannot be executed. */
static int decode_inode(const struct record *rec, Unlinked *m, uint64_t page_size)
{
	int err = record_decode(rec, Unlinked_fields, m);

	if (!err && (m->size > INT64_MAX || (!m->shared_memory && m->directory[0] != '/') ||
		     (m->shared_memory && (!m->size || m->size % page_size || m->size > PTRDIFF_MAX)) ||
		     (m->huge && (!m->shared_memory || m->huge & (m->huge - 1) || m->huge < page_size || m->size % m->huge))))
		err = fail(EIMAGE, "unlinked file %u: an absurd size or place", m->id);
	return err;
}

static int decode_contents(const struct record *rec, Contents *m, uint32_t of, uint64_t size)
{
	int err = record_decode(rec, Contents_fields, m);

	if (!err && (!m->id || m->id != of || m->offset > size || rec->body_len > size - m->offset))
		err = fail(EIMAGE, "contents at %" PRIu64 " of no unlinked file", m->offset);
	return err;
}

static int verify(struct verify *v, const struct record *rec)
{
	Unlinked m;
	Contents c;
	int err;

	if (rec->type == RECORD_CONTENTS)
		return decode_contents(rec, &c, v->contents_of, v->contents_size);
	err = decode_inode(rec, &m, v->page_size);
	if (err)
		return err;
	if (v->here && !m.shared_memory) {
		CLEANUP_CLOSE int fd = verify_open(v, m.directory, O_PATH | O_DIRECTORY);

		if (fd < 0)
			say_memory(&m);
	}
	if (v->here && m.huge) {
		int fd = open_shared_memory(&m);

		if (fd < 0)
			verify_note(v, fail(fd, "memory of huge pages of %" PRIu64 " bytes: %s", m.huge, strerror(-fd)));
		else
			close(fd);
	}
	v->contents_of = m.id;
	v->contents_size = m.size;
	return verify_id(v, m.id);
}

static int restore_inode(struct restore *r, const struct record *rec)
{
	Unlinked m;
	CLEANUP_CLOSE int fd = -1;
	char path[48];
	int keeper, err = decode_inode(rec, &m, r->page_size);

	if (err)
		return err;
	fd = m.shared_memory ? open_shared_memory(&m) : open_unnamed(&m);
	if (fd < 0)
		return fail(fd, "unlinked file %u (%" PRIu64 " bytes in %s): %s", m.id, m.size,
			    m.shared_memory ? "memory" : m.directory, strerror(-fd));
	if (!m.shared_memory && (ftruncate(fd, (off_t)m.size) || fchown(fd, m.uid, m.gid) || fchmod(fd, m.mode & 07777)))
		return fail_errno("unlinked file %u (%" PRIu64 " bytes in %s)", m.id, m.size, m.directory);
	world_contents_end(r);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	keeper = open(path, O_RDONLY | O_CLOEXEC);
	if (keeper < 0)
		return fail_errno("unlinked file %u", m.id);
	r->contents_of = m.id;
	r->contents_size = m.size;
	r->contents_huge = m.huge;
	r->contents_fd = scope_keep(&fd);
	return world_add(r, keeper, m.id);
}

/* There is no write(2) to huge pages, and one that cannot be had is a SIGBUS unless it was reserved, as it is here. */
static int write_huge(int fd, uint64_t huge, const uint8_t *bytes, size_t len, uint64_t at)
{
	while (len) {
		const size_t within = (size_t)(at % huge), n = huge - within < len ? (size_t)(huge - within) : len;
		uint8_t *page = mmap(NULL, (size_t)huge, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(at - within));

		if (page == MAP_FAILED)
			return -errno;
		memcpy(page + within, bytes, n);
		munmap(page, (size_t)huge);
		bytes += n;
		len -= n;
		at += n;
	}
	return 0;
}

static int restore(struct restore *r, const struct record *rec)
{
	Contents m;
	int err;

	if (rec->type == RECORD_UNLINKED)
		return restore_inode(r, rec);
	err = decode_contents(rec, &m, r->contents_of, r->contents_size);
	if (err)
		return err;
	if (r->contents_fd < 0)	/* of an embedded file that is here */
		return 0;
	err = r->contents_huge ? write_huge(r->contents_fd, r->contents_huge, rec->body, rec->body_len, m.offset)
			       : pwrite_all(r->contents_fd, rec->body, rec->body_len, m.offset);
	return err ? fail_for(err, "unlinked file %u: writing its contents", m.id) : 0;
}

static void show(const struct record *rec, char *line, size_t cap)
{
	Unlinked m;
	Contents c;

	if (rec->type == RECORD_UNLINKED && !record_decode(rec, Unlinked_fields, &m))
		snprintf(line, cap, "unlinked %u: %" PRIu64 " bytes, %s", m.id, m.size, m.shared_memory ? "shared memory" : m.directory);
	if (rec->type == RECORD_CONTENTS && !record_decode(rec, Contents_fields, &c))
		snprintf(line, cap, "contents of %u: %u bytes at %" PRIu64, c.id, rec->body_len, c.offset);
}

static const struct object_ops unlinked = {
	.name = "unlinked file",
	.records = { RECORD_UNLINKED, RECORD_CONTENTS },
	.match = match,
	.check = check,
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
};
OBJECT(unlinked);
