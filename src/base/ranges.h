/* SPDX-License-Identifier: MIT */
/*
 * A list of address ranges with what is known of each, in order.  A process may have 65530 mappings and more, which are much
 * alike: each is kept as its difference to the one before, in some 4 to 8 bytes, and read from the first one on.
 */
#ifndef TINYCKPT_BASE_RANGES_H
#define TINYCKPT_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { RANGES_WORDS_MAX = 8 };

/* Between two of them. */
struct ranges_at {
	size_t at;			/* in the bytes */
	uint64_t item[RANGES_WORDS_MAX];	/* the one before */
};

/* Start with { 0 }, end with buffer_free(&list.bytes). */
struct ranges {
	struct buffer bytes;
	struct ranges_at last;
};

/*
 * Appends a copy of ITEM, a struct of SIZE bytes, the same for all of the list: whole uint64_t, at most RANGES_WORDS_MAX, the
 * first two of them the addresses where the range starts and ends, multiples of 4096.  0 or -ENOMEM, silently: the list is then
 * to be given up.
 */
int ranges_add(struct ranges *list, const void *item, size_t size);

/* Copies the next one to ITEM.  AT: { 0 } before the first one.  False: there is none, and ITEM is as it was. */
bool ranges_next(const struct ranges *list, struct ranges_at *at, void *item, size_t size);

/* Forgets them all; what they took is kept for others. */
void ranges_clear(struct ranges *list);

#endif
