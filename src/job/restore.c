/* SPDX-License-Identifier: MIT */
#include "job/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"

int world_add(struct restore *r, int fd, uint32_t id)
{
	int err = 0;

	if (id != r->last_id + 1)
		err = fail(EIMAGE, "open file %u: not in its place, %u is due", id, r->last_id + 1);
	else if (dup3(fd, r->world + (int)id, O_CLOEXEC) < 0)
		err = errno == EBADF || errno == EMFILE
			      ? fail(EMFILE, "more open files than tinyckpt may have (RLIMIT_NOFILE): raise `ulimit -n`")
			      : fail_errno("open file %u", id);
	else
		r->last_id = id;
	close(fd);
	return err;
}

void world_contents_end(struct restore *r)
{
	if (IS_ON_EMBED && r->contents_fd >= 0)	/* refused by all but the memory that stands in for a file */
		fcntl(r->contents_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
	if (r->contents_fd >= 0)
		close(r->contents_fd);
	r->contents_fd = -1;
	r->contents_of = 0;
}

int world_fd(const struct restore *r, uint32_t id)
{
	return id && id <= r->last_id ? r->world + (int)id : -1;
}
