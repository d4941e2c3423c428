/* SPDX-License-Identifier: MIT */
/*
 * Writes an image, front to back. create, write..., then either commit or abandon; what was created is never seen
 * under its name before the commit, and a writer that dies leaves the old image as it was.
 *
 * Working set: a body buffer and a buffer for small records, mapped, so that what is not touched costs nothing, and one that
 * bodies are packed into; the first two four times and the third twice, once an image grows large (see image/behind.h): then
 * two pack and sum up bodies, and one of them writes.  Writing to a closed pipe or beyond RLIMIT_FSIZE sends SIGPIPE or
 * SIGXFSZ: the program ignores both (main.c), else it would die with the workload stopped.
 */
#ifndef TINYCKPT_IMAGE_WRITER_H
#define TINYCKPT_IMAGE_WRITER_H

#include <pb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "image/budget.h"
#include "image/format.h"
#include "image/seal.h"
#include "image/target.h"

enum { WRITER_LOTS = 4 };

/* What is written by one call: frames, and the body of the last one. */
struct image_lot {
	struct iovec pieces[2];
	uint8_t *frames;	/* the first of them: behind the preamble, in the first lot */
	uint8_t *last;		/* the one that the body belongs to, to be packed and summed up yet; NULL: there is no body */
	uint32_t marks;		/* that were in the index when it was filled */
};

struct image_writer {
	struct image_target target;
	int error;       /* the first failure; everything after it fails too, silently */
	int level;       /* the caller may set it: how hard to try to make bodies smaller, 1 to 9; 0: not at all */
	struct budget budget; /* the caller may set it */
	struct seal *seal; /* it is encrypted; else NULL */
	uint8_t *map;    /* all buffers, one mapping; NULL: not open */
	uint8_t *lot;    /* those that are being filled */
	struct behind *behind; /* works on the others; NULL: there is none */
	struct image_lot lots[WRITER_LOTS];
	bool began;            /* the first lot is filled, which has the preamble */
	bool large;            /* worth a thread: one was asked for */
	size_t pending;        /* bytes of small records in the lot that is being filled */
	/* of who writes lots */
	_Atomic uint64_t size; /* bytes of the image that are written, or were too many */
	uint32_t chain;        /* CRC-32C of their frames' header CRCs */
	uint32_t marks_placed; /* entries in the index whose offset is that in the image */
	/* of who fills them */
	uint32_t marks;  /* entries in the index */
	bool marks_lost; /* more marks than the index holds */
	uint64_t records;
	uint64_t body_bytes;
};

/*
 * Opens the image for writing and writes the preamble. PATH "-" is standard output (not to a terminal). Else the
 * file is made in PATH's directory, mode 0600, and takes its name at the commit; an existing target must be a
 * regular file, and a symbolic link is not followed. 0 or a negative error that has been said; the writer then
 * needs no abandon. KEY is the file of the key that it is encrypted with (key_read()), or NULL.
 */
int image_create(struct image_writer *w, const char *path, const char *key);

/*
 * Adds one record. MESSAGE is the structure that FIELDS (NAME_fields) describes, at most MESSAGE_MAX bytes when
 * encoded; both NULL for an empty message. BODY has BODY_LEN bytes, at most BODY_MAX, and is the caller's; where it
 * is large it goes out from where it lies, without a copy. 0 or a negative error that has been said.
 */
int image_write(struct image_writer *w, uint16_t type, uint16_t flags, const pb_msgdesc_t *fields, const void *message,
		const void *body, size_t body_len);

/*
 * BODY_MAX bytes, page aligned, for bodies to be made in. The contents are the caller's until the next image_write(),
 * from where on it has to be asked for again.
 */
uint8_t *image_body(struct image_writer *w);

/*
 * Puts the next record into the index, so that image_find() finds it by TYPE and KEY. The index is a shortcut and
 * bounded (INDEX_MAX): further marks are dropped, and the footer says so.
 */
void image_mark(struct image_writer *w, uint32_t type, uint32_t key);

/*
 * Waits until all records so far are on their medium, as far as it can tell: what is written from then on is soon there.  0 or a
 * negative error that has been said.
 */
int image_sync(struct image_writer *w);

/*
 * Writes footer and trailer, syncs, gives the file its name over the old one's, and syncs the directory. TOTALS:
 * the caller's part is read, the writer's is filled in. On a failure the old image is still there, but for one case: the
 * new name stands and only the sync of the directory failed. The caller goes on to image_drop() either way.
 */
int image_commit(struct image_writer *w, struct image_totals *totals);

/*
 * Closes the writer, and drops an image that was not committed. Of one that was, it frees what it replaced: a large file takes
 * a while. Does nothing to one that is closed, was never opened, or is all zero. Keeps errno.
 */
void image_drop(struct image_writer *w);

#endif
