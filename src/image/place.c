/* SPDX-License-Identifier: MIT */
#include "image/place.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"

int place_directory(int fd)
{
	char path[4096];
	char *slash;

	if (path_of(fd, path, sizeof(path)))
		return fail_errno("where it lies");
	slash = strrchr(path, '/');
	if (!slash)
		return fail(EIMAGE, "it was saved as a file, and comes as none");
	slash[slash == path] = '\0';
	fd = open_file(path, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? fail_errno("%s", path) : fd;
}

static int check(int fd, const char *what)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail_errno("%s", what);
	if ((st.st_uid && st.st_uid != geteuid()) || (st.st_mode & 022 && !(S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX)))
		return fail(EIMAGE, "not trusted: others than root may write to %s (user %u, mode %03o): make it root's alone", what,
			    st.st_uid, st.st_mode & 07777u);
	return 0;
}

int place_check(int fd)
{
	CLEANUP_CLOSE int directory = place_directory(fd);
	int err = directory < 0 ? directory : check(fd, "it");

	return err ? err : check(directory, "its directory");
}
