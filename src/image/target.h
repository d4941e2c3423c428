/* SPDX-License-Identifier: MIT */
/*
 * The file that an image becomes: written without a name, or under a temporary one, it takes its name in one step. A
 * writer that dies at any instant leaves the old file as it was.
 */
#ifndef TINYCKPT_IMAGE_TARGET_H
#define TINYCKPT_IMAGE_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct image_target {
	int fd;              /* open for writing; -1 when closed */
	int directory;       /* where the names lie; -1 for standard output */
	int replaced;        /* the file whose name it took, held so that freeing its blocks waits for target_drop(); -1: none */
	bool unnamed;        /* made by O_TMPFILE */
	char name[256];      /* the target's, for messages too */
	char temporary[256]; /* "" while there is none */
	uint64_t written;    /* bytes */
	uint64_t begun;      /* so many of them are on their way to the medium */
	uint64_t part;       /* bytes that are begun at once */
};

/*
 * Makes the file, mode 0600, in PATH's directory; "-" is standard output. The directory must exist; the target may
 * exist as a regular file only, a symbolic link is not followed. What killed writers left under temporary names is
 * removed. 0 or a negative error that has been said; nothing is left open then.
 */
int target_open(struct image_target *t, const char *path);

/* All of the pieces, which are used up.  0 or a negative errno, unsaid; of what is on its way to the medium, too. */
int target_write(struct image_target *t, struct iovec *pieces, int count);

/* Waits until what was written is on its medium.  0 or a negative errno, unsaid. */
int target_sync(struct image_target *t);

/* Syncs, names the file, syncs the directory. The caller goes on to target_drop(), on an error (said) too. */
int target_commit(struct image_target *t);

/*
 * Closes, and removes what has no name of its own yet. That frees what was replaced, which of a large file takes a while.
 * Idempotent; keeps errno.
 */
void target_drop(struct image_target *t);

#endif
