/* SPDX-License-Identifier: MIT */
#include "image/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"

/* So much of the target's name goes into a temporary one, that ".NAME.tmp.PID.N" stays below NAME_MAX. */
#define NAME_PART 200

enum { CACHE_PART = 64 };	/* of the machine's memory, twice this part is the image's in the page cache */

static int open_stdout(struct image_target *t)
{
	if (isatty(STDOUT_FILENO))
		return fail(EUSAGE, "an image is not written to a terminal");
	/* An own copy, so that closing it ends nothing else, beyond the numbers that redirections use. */
	t->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (t->fd < 0)
		return fail_errno("standard output");
	snprintf(t->name, sizeof(t->name), "standard output");
	return 0;
}

/* Opens PATH's directory and takes its last part as the name. */
static int open_directory(struct image_target *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	CLEANUP_FREE char *parent = NULL;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return fail(EISDIR, "%s: is a directory", path);
	if (strlen(name) >= sizeof(t->name))
		return fail(ENAMETOOLONG, "%s: the name is too long", path);
	memcpy(t->name, name, strlen(name) + 1);
	/* The slash stays, so that the root directory is no special case. */
	parent = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
	if (!parent)
		return fail_errno("%s", path);
	t->directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->directory < 0)
		return fail_errno("%s", parent);
	return 0;
}

static int check_existing(const struct image_target *t)
{
	struct stat st;

	if (fstatat(t->directory, t->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail_errno("%s", t->name);
	if (S_ISLNK(st.st_mode))
		return fail(ELOOP, "%s: is a symbolic link, which is not followed", t->name);
	if (!S_ISREG(st.st_mode))
		return fail(EEXIST, "%s: exists and is not a regular file", t->name);
	return 0;
}

/*
 * Removes the temporary files of writers that are gone. One at work holds a lock on its file; the kernel drops it
 * however that process ends, so that no guess by PID or age is needed. Failing here matters to nobody.
 */
static void remove_stale(const struct image_target *t)
{
	CLEANUP_DIR DIR *dir = NULL;
	char prefix[NAME_PART + 8];
	struct dirent *entry;
	int copy;

	snprintf(prefix, sizeof(prefix), ".%.*s.tmp.", NAME_PART, t->name);
	copy = openat(t->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0)
		return;
	dir = fdopendir(copy);
	if (!dir) {
		close(copy);
		return;
	}
	while ((entry = readdir(dir))) {
		CLEANUP_CLOSE int fd = -1;
		struct stat st;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		if (fstatat(t->directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		fd = openat(t->directory, entry->d_name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		if (unlinkat(t->directory, entry->d_name, 0) == 0)
			log_info("%s: removed, left by an interrupted save", entry->d_name);
	}
}

/* The Nth temporary name to try. */
static void set_temporary(struct image_target *t, int n)
{
	snprintf(t->temporary, sizeof(t->temporary), ".%.*s.tmp.%d.%d", NAME_PART, t->name, (int)getpid(), n);
}

/* Where the file system has no O_TMPFILE. */
static int create_named(struct image_target *t)
{
	int n;

	for (n = 0; n < 100; n++) {
		struct stat st;

		set_temporary(t, n);
		t->fd = openat(t->directory, t->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (t->fd < 0) {
			if (errno == EEXIST)
				continue;
			break;
		}
		/* Another writer may have taken it for a stale one before the lock was held. */
		if (flock(t->fd, LOCK_EX | LOCK_NB) == 0 && fstat(t->fd, &st) == 0 && st.st_nlink == 0) {
			close(t->fd);
			continue;
		}
		return 0;
	}
	t->temporary[0] = '\0';
	return fail_errno("%s: cannot be created", t->name);
}

static int create(struct image_target *t)
{
	t->fd = openat(t->directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (t->fd >= 0) {
		t->unnamed = true;
		/* Matters between link and rename alone; a file system without locks does without. */
		(void)flock(t->fd, LOCK_EX | LOCK_NB);
		return 0;
	}
	/* EISDIR: what kernels or file systems say that do not know the flag. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOSYS || errno == ENOENT)
		return create_named(t);
	return fail_errno("%s: cannot be created", t->name);
}

int target_open(struct image_target *t, const char *path)
{
	struct sysinfo info;
	int err;

	memset(t, 0, sizeof(*t));
	t->fd = t->directory = t->replaced = -1;
	if (!strcmp(path, "-"))
		return open_stdout(t);
	if (!sysinfo(&info))
		t->part = (uint64_t)info.totalram * info.mem_unit / CACHE_PART;
	err = open_directory(t, path);
	if (!err)
		err = check_existing(t);
	if (!err) {
		remove_stale(t);
		err = create(t);
	}
	if (err)
		target_drop(t);
	return err;
}

/*
 * The image would fill the page cache, which on a small machine pushes out what that works with; and while its dirty pages
 * wait for slow flash, the kernel takes memory for exhausted and kills.  So each part goes to the medium while the next one
 * is written, and is then forgotten: two of them are all that the cache holds.  A part is large on a large machine, where
 * this is not to wait for anything.
 */
static int begin_part(struct image_target *t)
{
	/* waits for what was begun before, and tells an error that nobody would be told again */
	int err = sync_file_range(t->fd, 0, (off_t)t->written, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);

	posix_fadvise(t->fd, 0, (off_t)t->begun, POSIX_FADV_DONTNEED);
	t->begun = t->written;
	return err ? -errno : 0;
}

int target_write(struct image_target *t, struct iovec *pieces, int count)
{
	int err;

	for (int i = 0; i < count; i++)
		t->written += pieces[i].iov_len;
	err = writev_all(t->fd, pieces, count);
	return !err && t->part && t->written - t->begun >= t->part ? begin_part(t) : err;
}

int target_sync(struct image_target *t)
{
	const unsigned int all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	/* an error would not be told again; standard output may be a pipe, which has nothing of the kind */
	return t->part && sync_file_range(t->fd, 0, 0, all) ? -errno : 0;
}

/* Gives the unnamed file a name: 0 or -1 with errno. */
static int link_as(const struct image_target *t, const char *name)
{
	char path[32];

	/* By descriptor this wants CAP_DAC_READ_SEARCH before Linux 6.10; the link in /proc does not. */
	if (linkat(t->fd, "", t->directory, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", t->fd);
	return linkat(AT_FDCWD, path, t->directory, name, AT_SYMLINK_FOLLOW);
}

static int give_name(struct image_target *t)
{
	int n;

	if (t->unnamed) {
		/* The first image of this name gets it at once; replacing one takes a rename. */
		if (link_as(t, t->name) == 0) {
			t->unnamed = false;
			return 0;
		}
		for (n = 0; errno == EEXIST && n < 100; n++) {
			set_temporary(t, n);
			if (link_as(t, t->temporary) == 0) {
				t->unnamed = false;
				break;
			}
		}
		if (t->unnamed) {
			t->temporary[0] = '\0';
			return fail_errno("%s: cannot be named", t->name);
		}
	}
	t->replaced = openat(t->directory, t->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (renameat(t->directory, t->temporary, t->directory, t->name) < 0)
		return fail_errno("%s: cannot be named", t->name);
	t->temporary[0] = '\0';
	return 0;
}

int target_commit(struct image_target *t)
{
	int err;

	/* Pipes and some file systems have nothing to sync and say so with these. */
	if (fsync(t->fd) < 0 && errno != EINVAL && errno != EROFS && errno != EOPNOTSUPP)
		return fail_errno("%s: cannot be written to its medium", t->name);
	if (t->directory >= 0) {
		err = give_name(t);
		if (err)
			return err;
		if (fsync(t->directory) < 0 && errno != EINVAL && errno != EOPNOTSUPP)
			return fail_errno("%s: is written, but its directory cannot be synced", t->name);
	}
	return 0;
}

void target_drop(struct image_target *t)
{
	int saved = errno;

	if (t->temporary[0])
		unlinkat(t->directory, t->temporary, 0);
	t->temporary[0] = '\0';
	if (t->fd >= 0)
		close(t->fd);
	if (t->directory >= 0)
		close(t->directory);
	if (t->replaced >= 0)
		close(t->replaced);
	t->fd = t->directory = t->replaced = -1;
	errno = saved;
}
