/* SPDX-License-Identifier: MIT */
#include "boot.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "image/reader.h"
#include "kernel/pid_counter.h"
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
			err = pids_read(&numbers, &numbers, &rec);
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

int boot_lift(struct kept *kept)
{
	pid_t end = pids_end(), to = kept->highest;
	int err;

	if (to < EARLY && (!end || EARLY <= end - NUMBERS_LEFT))
		to = EARLY;
	kept->was = kept->is = pid_counter_last();
	if (kept->was >= to)
		return 0;
	if (end && kept->highest >= end)
		return fail(ERANGE, "an image has pid %d, and this kernel gives none from %d on (/proc/sys/kernel/pid_max)",
			    kept->highest, end);
	if (end && kept->highest > end - NUMBERS_LEFT)
		log_warning("pid %d of an image is near the end: the kernel soon begins again at the low ones (/proc/sys/kernel/pid_max)",
			    kept->highest);
	err = pid_counter_set(to);
	kept->is = pid_counter_last();
	return err ? fail_for(err, "process IDs cannot be used up") : 0;
}
