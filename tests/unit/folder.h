/* SPDX-License-Identifier: MIT */
/* A test's folder: it goes with the files and empty folders in it. */
#ifndef FOLDER_H
#define FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static inline int remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	closedir(dir);
	return rmdir(path);
}

/* How many names are in it. */
static inline int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = -2;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#endif
