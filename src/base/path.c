/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "config.h"

#ifndef SYS_openat2
#define SYS_openat2 437 /* Linux 5.6 */
#endif
enum { RESOLVE_NO_SYMLINKS_ = 4 };

static bool is_guarded(int directory)
{
	struct stat st;

	return !fstat(directory, &st) && (!st.st_uid || st.st_uid == geteuid()) && !(st.st_mode & 022);
}

int path_parent(const char *path, const char **name)
{
	CLEANUP_CLOSE int at = open_file(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY);

	for (;;) {
		char part[NAME_MAX + 1];
		size_t len;
		int next;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		*name = *path ? path : ".";
		if (at < 0 || !path[len])
			return scope_keep(&at);
		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path, len);
		part[len] = '\0';
		next = openat(at, part, O_PATH | O_DIRECTORY | O_CLOEXEC | (is_guarded(at) ? 0 : O_NOFOLLOW));
		close(at);
		at = next;
		path += len;
	}
}

bool path_is_guarded(const char *path)
{
	const char *name;
	CLEANUP_CLOSE int parent = path_parent(path, &name);

	return parent >= 0 && is_guarded(parent);
}

int path_of(int fd, char *path, size_t cap)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, cap - 1);
	path[len < 0 ? 0 : len] = '\0';
	return len < 0 ? -1 : 0;
}

bool path_is_noexec(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_flags & ST_NOEXEC;
}

int path_unlink(const char *path)
{
	const char *name;
	CLEANUP_CLOSE int parent = path_parent(path, &name);

	return parent < 0 ? -1 : unlinkat(parent, name, 0);
}

int path_open(const char *path, int flags, mode_t mode)
{
	const unsigned int with_path = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;	/* nothing else goes with O_PATH */
	const struct {
		uint64_t flags, mode, resolve;
	} how = { ((unsigned int)flags | O_CLOEXEC | O_LARGEFILE) & (flags & O_PATH ? with_path : ~0U), mode, RESOLVE_NO_SYMLINKS_ };
	CLEANUP_CLOSE int parent = -1;
	CLEANUP_CLOSE int found = -1;
	const char *name;
	char link[32];
	int fd = IS_ON_MANY_FILES ? (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)) : -1;

	if (fd >= 0 || (IS_ON_MANY_FILES && errno == ENOENT))
		return fd;
	parent = path_parent(path, &name);
	if (parent < 0 || flags & O_NOFOLLOW || is_guarded(parent))
		return parent < 0 ? -1 : openat(parent, name, flags | O_CLOEXEC, mode);
	found = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (found < 0)
		return -1;
	/* O_NOFOLLOW would be among its flags */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
	return open_file(link, flags);
}
