/* SPDX-License-Identifier: MIT */
/*
 * Encryption, below the frames of image/format.h and above the file: what lies in the file is
 *
 *   preamble     0  magic "\x89TCS\r\n\x1a\n" (8)
 *               8  version (u16), length of the name (u16)
 *               12  id of the key (8)
 *               20  the image's own id, random (24): the header of secretstream
 *               44  name that the file was saved under; none for one that went to standard output
 *                   CRC-32C of all before (u32)
 *   chunks      each SEAL_CHUNK bytes of the image, the last one as many as are left: a message of libsodium's
 *               crypto_secretstream_xchacha20poly1305 (17 bytes longer), the last tagged FINAL
 *
 * The preamble is authenticated with the first chunk.  So each byte that is handed out is authentic, in its order, and
 * the end is where the writer's was.
 *
 * All that is secret lies in one mapping, which children do not inherit and which no core dump has; it is wiped in the end.
 */
#ifndef TINYCKPT_IMAGE_SEAL_H
#define TINYCKPT_IMAGE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "config.h"
#include "image/target.h"

#define SEAL_MAGIC "\x89TCS\r\n\x1a\n"

enum {
	SEAL_VERSION = 1,
	SEAL_CHUNK = 64 * 1024,
	SEAL_MORE = 17,		/* bytes that a message is longer than what is in it */
	SEAL_ID = 24,
	SEAL_NAME_MAX = 240,
	SEAL_FIXED = 44,	/* of the preamble */
};

struct seal;

/* With the key of KEYFILE; *s is NULL where there is none (see key_installed).  0 or a negative error, said. */
int seal_new(struct seal **s, const char *keyfile);

/* Wipes and frees it; NULL: nothing. */
void seal_free(struct seal *s);

/* Whether children get it; it begins with no. */
void seal_inherited(struct seal *s, bool yes);

/* The image's id, and its name. */
const uint8_t *seal_id(const struct seal *s);
const char *seal_name(const struct seal *s);

/* The key for image/newest.h. */
const uint8_t *seal_newest_key(const struct seal *s);

/* Begins an image of that name in the target, by target_write().  0 or a negative errno, unsaid. */
int seal_begin(struct seal *s, struct image_target *target, const char *name);

/* Encrypts, and writes what makes whole chunks.  The same. */
int seal_write(struct seal *s, const struct iovec *pieces, int count);

/* Writes the last chunk. */
int seal_end(struct seal *s);

/* The bytes that so many of an image become. */
uint64_t seal_size(const struct seal *s, uint64_t bytes);

/*
 * Begins to read; fd stands behind (a stream), or has at its beginning, the 16 bytes FIRST.  STREAM: read(2) in order.  The
 * first chunk is decrypted, with which the preamble is authentic.  0 or a negative error, said.
 */
int unseal_begin(struct seal *s, int fd, bool stream, const uint8_t first[16]);

/* The next chunk, good until the next call.  -ENODATA, unsaid: the end, which is authentic; other errors are said. */
int unseal_next(struct seal *s, const uint8_t **data, size_t *len);

/* Goes back to the beginning of a file. */
int unseal_rewind(struct seal *s);

#endif
