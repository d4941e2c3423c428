/* SPDX-License-Identifier: MIT */
#include "service/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

const char *const shelf_suffix[SHELVES] = { ".tck", ".tck.trying", ".tck.done", ".tck.failed" };
const char *const shelf_word[SHELVES] = { "ready", "trying", "restored", "failed" };

int shelf_path(char *path, size_t cap, const char *dir, const char *name, enum shelf shelf)
{
	if ((size_t)snprintf(path, cap, "%s/%s%s", dir, name, shelf_suffix[shelf]) >= cap)
		return fail(ENAMETOOLONG, "%s", dir);
	return 0;
}

static void file_name(char file[256], const char *name, enum shelf shelf)
{
	snprintf(file, 256, "%s%s", name, shelf_suffix[shelf]);
}

bool shelf_has(int directory, const char *name, enum shelf shelf)
{
	char file[256];
	struct stat st;

	file_name(file, name, shelf);
	return !fstatat(directory, file, &st, AT_SYMLINK_NOFOLLOW);
}

int shelf_move(int directory, const char *name, enum shelf from, enum shelf to)
{
	char old[256], new[256];

	file_name(old, name, from);
	file_name(new, name, to);
	if (renameat(directory, old, directory, new))
		return fail_errno("%s: cannot become %s", old, new);
	/* some file systems have nothing to sync and say so with these */
	if (fsync(directory) && errno != EINVAL && errno != EOPNOTSUPP)
		return fail_errno("%s: its name cannot be written to its medium", new);
	return 0;
}

bool shelf_clear(int directory, const char *name)
{
	bool any = false;

	for (enum shelf shelf = SHELF_TRYING; shelf < SHELVES; shelf++) {
		char file[256];

		file_name(file, name, shelf);
		any |= !unlinkat(directory, file, 0);
	}
	return any;
}
