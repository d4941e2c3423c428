/* SPDX-License-Identifier: MIT */
#include "objects/unchanged.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "objects/content.h"
#include "objects/rules.h"

/* In save.unchanged, the path behind it. */
struct noted {
	uint64_t ino, size, mtime_ns;
	uint32_t mode, flags, action;
};

int unchanged_note(struct save *s, const File *m)
{
	const struct noted n = { m->ino, m->size, m->mtime_ns, m->mode, m->flags, m->action };

	if (buffer_append(&s->unchanged, &n, sizeof(n)) || buffer_append(&s->unchanged, m->path, strlen(m->path) + 1))
		return fail(ENOMEM, "out of memory");
	return 0;
}

/* As file_open() will have it. */
static bool is_good(const struct noted *n, const char *path)
{
	const int follow = n->flags & O_PATH && n->flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, follow))
		return errno == ENOENT && (n->action == ACTION_APPEND || n->action == ACTION_RECREATE);
	if ((st.st_mode & S_IFMT) != (n->mode & S_IFMT))
		return false;
	if (n->flags & O_PATH || !S_ISREG(n->mode))
		return true;
	if (n->action != ACTION_EXACT)
		return n->action != ACTION_GROW || (uint64_t)st.st_size >= n->size;
	return st.st_ino == n->ino && (uint64_t)st.st_size == n->size && content_mtime(&st) == n->mtime_ns;
}

int unchanged_check(const struct save *s)
{
	const uint8_t *at = s->unchanged.data, *end = at + s->unchanged.len;

	while (at < end) {
		const char *path = (const char *)at + sizeof(struct noted);
		struct noted n;

		memcpy(&n, at, sizeof(n));
		if (!is_good(&n, path))
			return fail(EAGAIN, "%s: somebody has changed or removed it while it was being saved", path);
		at += sizeof(n) + strlen(path) + 1;
	}
	return 0;
}
