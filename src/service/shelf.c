/* SPDX-License-Identifier: MIT */
#include "service/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "kernel/procfs.h"
#include "service/child.h"

const char *const shelf_suffix[SHELVES] = { ".tck", ".tck.trying", ".tck.done", ".tck.failed" };
const char *const shelf_word[SHELVES] = { "ready", "trying", "restored", "failed" };

static int lock(const char *dir, int directory, int64_t patience)
{
	const int64_t by = now_ms() + patience;
	int nap = 0;

	while (flock(directory, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return 0;	/* this file system has no locks */
		if (now_ms() > by)
			return fail(EBUSY, "%s: somebody has locked it for too long", dir);
		nap_ms(&nap);
	}
	return 0;
}

int shelf_open(const char *dir, bool make, int64_t patience, int *directory, bool *made)
{
	struct stat st;
	int err;

	*directory = -1;
	/* without it nothing is found, saved or restored; an image is not to be used up by that */
	err = proc_check();
	if (err)
		return err;
	*made = make && !mkdir(dir, 0700);
	if (make && !*made && errno != EEXIST)
		return fail_errno("%s", dir);
	*directory = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*directory < 0)	/* none, unless it is a link to what is not there, or not yet */
		return errno == ENOENT && !make && lstat(dir, &st) ? 0 : fail_errno("%s", dir);
	err = lock(dir, *directory, patience);
	if (err) {
		close(*directory);
		*directory = -1;
	}
	return err;
}

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
