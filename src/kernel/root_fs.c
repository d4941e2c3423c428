/* SPDX-License-Identifier: MIT */
#include "kernel/root_fs.h"

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

#include "base/scope.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"

enum { LINKS_MAX = 40 };	/* as the kernel follows */

bool root_fs_has(int fd)
{
	CLEANUP_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct proc_fdinfo of_root, info;
	struct statfs fs;

	if (!fstatfs(fd, &fs) && fs.f_flags & ST_RDONLY)
		return true;
	/* by mount: files of an overlay have their layers' device numbers */
	return root >= 0 && !proc_fdinfo(getpid(), root, &of_root) && !proc_fdinfo(getpid(), fd, &info) &&
	       info.mnt_id == of_root.mnt_id;
}

/* A directory without symbolic links in its path, which is relative to the root. */
static int enter(int root, const char *path)
{
	int at = dup(root);

	while (at >= 0 && *path) {
		char name[NAME_MAX + 1];
		size_t len = strcspn(path, "/");
		int next;

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = next;
		path += len + (path[len] == '/');
	}
	return at;
}

/*
 * done: what was resolved, without symbolic links; rest: what was not.  Each step begins at the root again, so that nobody
 * who moves directories meanwhile gets us out of it.
 */
int root_fs_walk(int root, const char *path, bool nofollow)
{
	char done[PATH_MAX] = "", rest[PATH_MAX], target[PATH_MAX], joined[PATH_MAX];
	CLEANUP_CLOSE int fd = enter(root, "");

	if ((size_t)snprintf(rest, sizeof(rest), "%s", path) >= sizeof(rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (int links = 0; fd >= 0;) {
		const char *from = rest + strspn(rest, "/");
		const size_t len = strcspn(from, "/");
		const char *behind = from + len;
		char name[NAME_MAX + 1];
		char *last = strrchr(done, '/');
		CLEANUP_CLOSE int parent = -1;
		struct stat st;
		ssize_t n;

		if (!len)
			return scope_keep(&fd);
		if (len > NAME_MAX || strlen(done) + len + 2 > sizeof(done)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, from, len);
		name[len] = '\0';
		parent = enter(root, done);
		if (parent < 0)
			return -1;
		close(fd);
		if (!strcmp(name, ".") || !strcmp(name, "..")) {
			if (name[1])
				*(last ? last : done) = '\0';
			fd = enter(root, done);
			memmove(rest, behind, strlen(behind) + 1);
			continue;
		}
		fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st))
			return -1;
		if (S_ISLNK(st.st_mode) && !(nofollow && !behind[strspn(behind, "/")])) {
			n = readlinkat(fd, "", target, sizeof(target));
			if (n <= 0 || links++ == LINKS_MAX ||
			    (size_t)snprintf(joined, sizeof(joined), "%.*s%s", (int)n, target, behind) >= sizeof(joined)) {
				errno = n < 0 ? errno : n ? ELOOP : ENOENT;
				return -1;
			}
			if (target[0] == '/')
				done[0] = '\0';
			memcpy(rest, joined, sizeof(rest));
			close(fd);
			fd = enter(root, done);	/* which is what it leads to, where there is nothing more */
			continue;
		}
		if (*behind && !S_ISDIR(st.st_mode)) {
			errno = ENOTDIR;
			return -1;
		}
		snprintf(done + strlen(done), sizeof(done) - strlen(done), "%s%s", *done ? "/" : "", name);
		memmove(rest, behind, strlen(behind) + 1);
	}
	return -1;
}

int root_fs_find(int root, const char *path, bool nofollow)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = { O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0), 0, RESOLVE_IN_ROOT };
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	/* EAGAIN: something was moved meanwhile; EPERM: a seccomp filter that does not know the call */
	return fd >= 0 || (errno != ENOSYS && errno != EAGAIN && errno != EPERM) ? fd : root_fs_walk(root, path, nofollow);
}
