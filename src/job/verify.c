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
	if (err == -EIMAGE)
		v->foreign++;
	else
		v->busy++;
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

struct unfit {
	uint32_t id;
	bool mount;		/* not even mapped so: noexec */
	char path[256];
};

void verify_mapped(struct verify *v, uint32_t id, const char *path, int fd)
{
	struct unfit new = { .id = id, .mount = !v->root && path_is_noexec(fd) };
	struct stat st;

	if (fstat(fd, &st) || (!new.mount && st.st_mode & 0111))
		return;
	snprintf(new.path, sizeof(new.path), "%s", path);
	(void)buffer_append(&v->unfit, &new, sizeof(new));	/* only a message would be lost */
}

void verify_executed(struct verify *v, uint32_t id, bool program)
{
	struct unfit *u = (struct unfit *)(void *)v->unfit.data;

	for (size_t n = v->unfit.len / sizeof(*u); n; n--, u++) {
		if (u->id != id || !(program || u->mount))
			continue;
		verify_note(v, fail(EIMAGE, "%s: it is executed, and its %s allows that no more", u->path,
				    u->mount ? "mount (noexec)" : "mode"));
		u->id = 0;	/* once is enough */
	}
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
