/* SPDX-License-Identifier: MIT */
#include "job/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"
#include "config.h"
#include "kernel/root_fs.h"

void verify_note(struct verify *v, int err)
{
	if (err == -EEXIST)
		v->busy++;
	else
		v->foreign++;
}

int verify_open(const struct verify *v, const char *path, int flags)
{
	CLEANUP_CLOSE int fd = -1;
	char link[32];
	struct stat st;
	int err;

	if (!IS_ON_CMD_VERIFY || !v || !v->root)
		return path_open(path, flags, 0);
	fd = root_fs_find(v->root_fd, path, flags & O_NOFOLLOW);
	if (fd < 0) {
		err = errno;
		fd = open(path, O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW));
		if (fd < 0 || root_fs_has(fd)) {
			errno = err;
			return -1;
		}
		log_info("%s: looked at here: an update leaves what it lies on", path);
	}
	if (flags & O_PATH || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return scope_keep(&fd);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

int verify_id(struct verify *v, uint32_t id)
{
	if (id != v->last_id + 1)
		return fail(EIMAGE, "open file %u: not in its place, %u is due", id, v->last_id + 1);
	v->last_id = id;
	return 0;
}

bool verify_known(const struct verify *v, uint32_t id)
{
	return id && id <= v->last_id;
}
