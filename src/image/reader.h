/* SPDX-License-Identifier: MIT */
/*
 * Reads an image, as hostile input: every length is checked before it is used, every byte against its CRC before it
 * is handed out. Working set: a 64 KiB body buffer, one more where bodies are packed, and buffers of 20 KiB, mapped.
 */
#ifndef TINYCKPT_IMAGE_READER_H
#define TINYCKPT_IMAGE_READER_H

#include <pb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "image/format.h"
#include "image/lz4.h"

/* One record; message and body lie in the reader's buffers and are good until its next call. */
struct record {
	uint16_t type;
	uint16_t flags;
	uint32_t message_len;
	uint32_t body_len;   /* unpacked */
	uint32_t stored;     /* bytes that message and body take in the file */
	const uint8_t *message;
	const uint8_t *body; /* page aligned; NULL when there is none or it was skipped */
	uint64_t body_offset;  /* in the file, ... */
	uint32_t body_stored;  /* ... where it may be packed, and takes so many bytes */
	uint32_t body_crc;
	uint64_t offset;     /* of the frame in the file, for messages and image_seek() */
};

struct image_reader {
	/* The caller may set it at any time: bodies of a file are passed over, unread and unchecked. */
	bool skip_bodies;
	uint16_t skip_type; /* those of records of this type alone, to be read by image_read_body(); 0: none */

	/* The rest is the reader's own. */
	int fd;
	bool owned;             /* image_close() closes fd */
	bool stream;            /* no seeking, no size */
	bool rewinds;           /* but for going back to the first frame */
	bool partial;           /* after a seek: the totals of the whole cannot be checked */
	bool ended;             /* footer and trailer were read */
	bool have_totals;
	int error;              /* the first failure, repeated until a seek */
	struct seal *seal;      /* it is encrypted; else NULL */
	uint8_t *map;           /* all buffers, one mapping */
	size_t ahead;           /* bytes read (and decrypted) ahead... */
	const uint8_t *ahead_at; /* ...from here on */
	uint64_t offset;        /* of the next byte to hand out */
	uint64_t size;          /* of the file; of a stream UINT64_MAX */
	uint64_t footer_offset; /* of a stream UINT64_MAX */
	uint64_t index_offset;  /* of the index in the file */
	uint32_t index_len;     /* its bytes */
	bool index_complete;    /* no mark was dropped */
	uint32_t chain;         /* as in the writer, for comparison */
	uint64_t records;
	uint64_t body_bytes;
	struct image_totals totals;
};

/*
 * Opens an image and checks its preamble; of a file also trailer and footer, so that one that is cut short is
 * refused before anything is done. PATH "-" is standard input. Nothing but a regular file is opened by name (a
 * symbolic link to one is fine). KEY is the file of the key that it must be encrypted with, if there is one
 * (key_read()); without one, others than root must not be able to write to it (place_check()). What is encrypted is
 * read as a stream. 0; -EIMAGE when it is not an image, not whole, not trusted, of another machine or version; -errno
 * when it cannot be read. The reason has been said. A failed open needs no close.
 */
int image_open(struct image_reader *r, const char *path, const char *key);

/* As image_open for a descriptor, which stays the caller's, and without a key. A regular file is read from its start by offset. */
int image_open_fd(struct image_reader *r, int fd);

/*
 * An encrypted image is restored once, and only the newest of its name is (image/newest.h): may this one be?  0, or a
 * negative error, said.  image_restored() notes, on disk, that it is now.  Without a key neither does anything.
 */
int image_check_newest(const struct image_reader *r);
int image_restored(const struct image_reader *r);

/* Are children to go on reading?  What is secret of it they do not get else. */
void image_inherited(const struct image_reader *r, bool yes);

/* Can all be read once more from the first frame on (image_seek())? */
bool image_rewinds(const struct image_reader *r);

/*
 * The next record: 1, with REC filled; 0 at the end, when footer, totals and trailer agree and nothing follows; a
 * negative error (said) otherwise. The footer itself is not handed out: see image_totals().
 */
int image_next(struct image_reader *r, struct record *rec);

/*
 * Reads, checks and unpacks the body of a record that was passed over, in WORK, READER_WORK bytes; more than one thread may.
 * 0; -EIMAGE when it is damaged or cut off, -errno; unsaid.
 */
enum { READER_WORK = BODY_MAX + (IS_ON_LZ4 ? LZ4_MARGIN : 0) };
int image_read_body(const struct image_reader *r, struct record *rec, uint8_t *work);

/* The totals: of a file at once, of a stream NULL until image_next() returned 0. They are the image's claim. */
const struct image_totals *image_totals(const struct image_reader *r);

/*
 * Looks up the frame marked with TYPE and KEY. 1 with *OFFSET; 0 when there is none; -ENODATA, unsaid, when the index
 * cannot tell (a stream, or more marks than it holds): read through instead; other negative errors are said.
 */
int image_find(struct image_reader *r, uint32_t type, uint32_t key, uint64_t *offset);

/*
 * Goes on at OFFSET, which must be that of a frame; IMAGE_PREAMBLE is the first one's. Afterwards the end checks
 * only the trailer, unless it was a return to the first, which is all that encrypted files can do. 0, -ESPIPE for a
 * stream, -EIMAGE for an offset outside; said.
 */
int image_seek(struct image_reader *r, uint64_t offset);

/* The offset of the next frame. */
uint64_t image_offset(const struct image_reader *r);

/* Idempotent; also fine after a failed open. */
void image_close(struct image_reader *r);

/* Decodes the record's message into MESSAGE, the structure that FIELDS describes. 0, or -EIMAGE, said. */
int record_decode(const struct record *rec, const pb_msgdesc_t *fields, void *message);

/* What to do with a record of an unknown type: 0, pass over it; -EIMAGE (said), it must be understood. */
int record_unknown(const struct record *rec);

#endif
