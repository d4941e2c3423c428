/* SPDX-License-Identifier: MIT */
/*
 * Reads all of an image without restoring it.  What is wrong with the image itself is an error, the first is the last;
 * what is wrong with this machine (a file that changed, a number that is taken) is noted, all of it.
 */
#ifndef TINYCKPT_VERIFY_H
#define TINYCKPT_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "image/reader.h"
#include "process.pb.h"

struct verify {
	bool here;			/* also ask whether it would restore on this machine */
	unsigned int foreign;		/* so many things, each named, make this another machine than the image's */
	unsigned int busy;		/* and so many may pass: numbers that are taken */

	/* The rest is the walker's and the objects' own. */
	struct image_totals found;	/* what was counted, to be compared with what the image claims */
	uint64_t page_size;
	Tree tree;
	uint32_t last_id;
	uint32_t contents_of;		/* the object whose contents may come next, 0: none */
	uint64_t contents_size;
	struct buffer processes;	/* struct verified */
	struct buffer tids;		/* uint32_t: every number that must be free */
	struct buffer mappings, runs;	/* struct range: of the process at hand */
	uint32_t pid, tid;		/* what records belong to, 0: nothing */
	bool states;			/* the second part has begun */
};

/* 0: whole (see foreign and busy), or a negative error, said.  Everything is released. */
int verify_image(struct verify *v, struct image_reader *image);

/* Notes what fail() has just said of this machine. */
void verify_note(struct verify *v, int err);

/* An object takes the next id, as world_add() gives it in restore.  0 or -EIMAGE, said. */
int verify_id(struct verify *v, uint32_t id);

/* It was taken. */
bool verify_known(const struct verify *v, uint32_t id);

#endif
