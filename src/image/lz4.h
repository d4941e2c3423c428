/* SPDX-License-Identifier: MIT */
/* Packing the bodies of records, as blocks of LZ4. */
#ifndef TINYCKPT_IMAGE_LZ4_H
#define TINYCKPT_IMAGE_LZ4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum {
	LZ4_WORK = 16 * 1024 + 32, /* bytes of memory that the library works in */
	LZ4_MARGIN = 64 * 1024 / 256 + 32, /* by so much what is packed must reach beyond what it is unpacked to in place */
	LZ4_FROM = 512,            /* fewer bytes are not worth it */
};

/* What packing works in, and remembers; zero at first. */
struct lz4_work {
	unsigned int vain;	/* so many bodies in a row did not look like it */
	uint8_t memory[LZ4_WORK] __attribute__((aligned(8)));
};

/*
 * Packs len bytes into to, which has room for as many; level 1 is the fastest, 9 becomes the smallest.  Returns the bytes that
 * they have become, or 0 when that would not be less by a tenth; what does not look like it, by samples, is not tried (one
 * sample where the bodies before did not either).
 */
size_t lz4_pack(struct lz4_work *work, int level, const void *from, size_t len, void *to);

/* Unpacks into exactly len bytes.  from is hostile.  False: it is no such block. */
bool lz4_unpack(const void *from, size_t from_len, void *to, size_t len);

#endif
