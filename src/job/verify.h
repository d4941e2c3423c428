/* SPDX-License-Identifier: MIT */
/* A verification under way: what all that take part in it know of it. */
#ifndef TINYCKPT_JOB_VERIFY_H
#define TINYCKPT_JOB_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/ranges.h"
#include "image/reader.h"
#include "process.pb.h"

struct verify {
	bool here;			/* also ask whether it would restore on this machine */
	const struct rules *rules;	/* as restore's */
	const char *root;		/* what will be the root directory, and a descriptor of it; NULL: `/` */
	int root_fd;
	unsigned int foreign;		/* so many things, each named, make this another machine than the image's */
	unsigned int busy;		/* and so many may pass: numbers that are taken, no space, a read-only mount */
	unsigned int carried;		/* so many files would come from the image: here they are missing, or others */

	/* The rest is the walker's and the objects' own. */
	struct image_totals found;	/* what was counted, to be compared with what the image claims */
	uint64_t page_size;
	Tree tree;
	uint32_t last_id;
	uint32_t contents_of;		/* the object whose contents may come next, 0: none */
	uint64_t contents_size;
	struct buffer processes;	/* struct verified */
	struct buffer tids;		/* uint32_t: every number that must be free */
	struct buffer unfit;		/* struct unfit: mapped files that may not be executed as they are now */
	struct ranges mappings;		/* struct range: of the process at hand, */
	struct verify_memory {
		uint64_t end, pages_end;	/* where the last one ends, and the last of its pages */
		struct ranges_at at;
		uint64_t from;			/* all before the one at hand end there, or below */
		struct range {
			uint64_t start, end;
		} here;				/* the one at hand */
	} memory;
	uint32_t pid, tid;		/* what records belong to, 0: nothing */
	uint32_t next_timer;		/* the lowest ID that its next timer can have */
	bool states;			/* the second part has begun */
	uint32_t process_box[64];	/* as restore.born_box */
};

/* Notes what fail() has just said of this machine, with the error that restore would end with. */
void verify_note(struct verify *v, int err);

/*
 * A descriptor of what a path of the image leads to, under v->root, where there is one: there what is no regular file is not
 * opened but looked at (O_PATH), and what an update does not replace (see root_fs_has()) may be found here.  v NULL: as
 * path_open() does.  -1 and errno.
 */
int verify_open(const struct verify *v, const char *path, int flags);

/* The file that is mapped is at FD; and it is executed: as a program, or by a mapping.  What it is not fit for is noted then. */
void verify_mapped(struct verify *v, uint32_t id, const char *path, int fd);
void verify_executed(struct verify *v, uint32_t id, bool program);

/* An object takes the next id, as world_add() gives it in restore.  0 or -EIMAGE, said. */
int verify_id(struct verify *v, uint32_t id);

/* It was taken. */
bool verify_known(const struct verify *v, uint32_t id);

#endif
