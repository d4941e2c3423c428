/* SPDX-License-Identifier: MIT */
/* The little of an image that tells which one it is. */
#ifndef TINYCKPT_SERVICE_OUTLINE_H
#define TINYCKPT_SERVICE_OUTLINE_H

#include "header.pb.h"
#include "process.pb.h"

struct outline {
	bool restorable;	/* set by the caller: -EIMAGE also for one that may not be restored (any more) */
	Header header;
	Tree tree;
};

/*
 * Reads it, by the file of the key (image/key.h).  When EACH isn't NULL: also calls it for every process, which means to
 * read all of the image but its contents.  0, or a negative error, said: -EIMAGE when it is no whole image.
 */
int outline_read(struct outline *o, const char *path, const char *key, void (*each)(void *arg, uint32_t pid), void *arg);

#endif
