/* SPDX-License-Identifier: MIT */
#include "service/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "kernel/procfs.h"
#include "service/conf.h"

enum { IDENTITY_MAX = 128, FILE_NAME_MAX = SERVICE_NAME_MAX + 8 };

/* What no other process has, nor one of another boot. */
static int identify(char text[IDENTITY_MAX], pid_t pid)
{
	struct proc_stat st;
	char boot[64];

	if (proc_stat(pid, 0, &st) || proc_readf(boot, sizeof(boot), "/proc/sys/kernel/random/boot_id") <= 0)
		return -ESRCH;
	snprintf(text, IDENTITY_MAX, "%d %llu %s", pid, (unsigned long long)st.start_time, boot);
	return 0;
}

static void file_name(char file[FILE_NAME_MAX], const char *name)
{
	snprintf(file, FILE_NAME_MAX, ".%s.root", name);
}

int root_keep(int directory, const char *name, pid_t root)
{
	char file[FILE_NAME_MAX], text[IDENTITY_MAX];
	CLEANUP_CLOSE int fd = -1;

	if (identify(text, root))
		return -ESRCH;
	file_name(file, name);
	fd = openat(directory, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

pid_t root_kept(int directory, const char *name)
{
	char file[FILE_NAME_MAX], kept[IDENTITY_MAX], text[IDENTITY_MAX];
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	size_t len;

	file_name(file, name);
	fd = openat(directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || (st.st_uid && st.st_uid != geteuid()) || st.st_mode & 022)
		return 0;
	if (read_upto(fd, kept, sizeof(kept) - 1, &len))
		return 0;
	kept[len] = '\0';
	return identify(text, (pid_t)atoi(kept)) || strcmp(text, kept) ? 0 : (pid_t)atoi(kept);
}
