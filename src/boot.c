/* SPDX-License-Identifier: MIT */
#include "boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "image/reader.h"
#include "kernel/procfs.h"
#include "tree/pids.h"
#include "tree/records.h"

enum {
	NUMBERS_LEFT = 1000,	/* fewer between the highest and the end, and the kernel soon begins again at the low ones */
	EARLY = 1000,		/* kernel threads and the first programs get lower ones at every boot, in any order */
};

/* The numbers stand before all that is large. */
static int look_into(const char *path, const char *key, struct kept *kept)
{
	struct image_reader image;
	struct buffer numbers = { 0 };
	struct record rec;
	int err = image_open(&image, path, key), got;

	if (err)
		return err;
	CONTEXT("%s", path);

	while ((got = image_next(&image, &rec)) > 0 && !err &&
	       (rec.type == RECORD_HEADER || rec.type == RECORD_TREE || rec.type == RECORD_CLOCKS || rec.type == RECORD_PIDS))
		if (rec.type == RECORD_PIDS)
			err = pids_read(&numbers, &rec);
	if (got < 0)
		err = got;
	if (!err && !numbers.len)
		err = fail(EIMAGE, "it does not tell its process IDs: made by a tinyckpt without CONFIG_PIDS");
	for (size_t i = 0; !err && i < numbers.len / sizeof(uint32_t); i++) {
		const uint32_t number = ((const uint32_t *)(const void *)numbers.data)[i];

		if (number <= 4194304 && (pid_t)number > kept->highest)
			kept->highest = (pid_t)number;
	}
	buffer_free(&numbers);
	image_close(&image);
	return err;
}

int boot_look(const char *folder, const char *key, struct kept *kept)
{
	CLEANUP_DIR DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : fail_errno("%s", folder);
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		const size_t len = strlen(entry->d_name);
		char path[4096];

		if (entry->d_name[0] == '.' || len < 5 || strcmp(entry->d_name + len - 4, ".tck") ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= sizeof(path))
			continue;
		if (look_into(path, key, kept))
			kept->others++;
		else
			kept->images++;
	}
	return errno ? fail_errno("%s", folder) : 0;
}

/* The number that was given last; 0: it is not known. */
static pid_t last_given(void)
{
	char text[96];
	ssize_t len = proc_readf(text, sizeof(text), "/proc/loadavg");
	const char *word = len > 0 ? strrchr(text, ' ') : NULL;

	return word ? atoi(word) : 0;
}

static int end_at_once(void *arg)
{
	(void)arg;
	_exit(0);
}

/* One number is used up; which one it was, or a negative errno. */
static pid_t use_up(void)
{
	static char stack[4096] __attribute__((aligned(16)));
	pid_t pid = clone(end_at_once, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

	if (pid < 0)
		return -errno;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return pid;
}

/* Without ns_last_pid (CONFIG_CHECKPOINT_RESTORE): all up to there are given, once around at most. */
static int use_all_up(pid_t to)
{
	pid_t pid, before = 0;

	while ((pid = use_up()) < to) {
		if (pid < 0)
			return fail_for(pid, "process IDs cannot be used up");
		if (pid < before)
			return fail(ERANGE, "process IDs have begun again at the low ones, before %d was reached", to);
		before = pid;
	}
	return 0;
}

int boot_lift(struct kept *kept)
{
	CLEANUP_CLOSE int fd = -1;
	char text[16];
	pid_t end = 0, to = kept->highest;
	int len, err = 0;

	if (proc_readf(text, sizeof(text), "/proc/sys/kernel/pid_max") > 0)
		end = atoi(text);
	if (to < EARLY && (!end || EARLY <= end - NUMBERS_LEFT))
		to = EARLY;
	kept->was = kept->is = last_given();
	if (kept->was >= to)
		return 0;
	if (end && kept->highest >= end)
		return fail(ERANGE, "an image has pid %d, and this kernel gives none from %d on (/proc/sys/kernel/pid_max)",
			    kept->highest, end);
	if (end && kept->highest > end - NUMBERS_LEFT)
		log_warning("pid %d of an image is near the end: the kernel soon begins again at the low ones (/proc/sys/kernel/pid_max)",
			    kept->highest);
	fd = open_file("/proc/sys/kernel/ns_last_pid", O_WRONLY);
	len = snprintf(text, sizeof(text), "%d", to);
	if (fd < 0 || write_all(fd, text, (size_t)len) || last_given() < to)
		err = use_all_up(to);
	kept->is = last_given();
	return err;
}
