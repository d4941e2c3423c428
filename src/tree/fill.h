/* SPDX-License-Identifier: MIT */
/*
 * Filling memory on a second processor (CONFIG_COPY_BEHIND), where there is one.  A thread reads some of an image's bodies of
 * pages, checks them and fills them in, by itself: what one processor has read comes to another one only slowly.
 */
#ifndef TINYCKPT_TREE_FILL_H
#define TINYCKPT_TREE_FILL_H

#include <stdbool.h>
#include <sys/uio.h>

#include "job/restore.h"

enum { FILL_PLACES_MAX = BODY_MAX / 4096 };	/* as many as a body has pages, where these are smallest */

/* Should the next body, if it is one of pages, be left to the thread?  From some lots on it is there. */
bool fill_has_room(struct restore *r);

/* Leaves it the body of this record, which was passed over, for n places (at most FILL_PLACES_MAX) in the process at hand. */
void fill_behind(struct restore *r, const struct record *rec, const struct iovec *there, size_t n);

/* Lots that were left to the thread so far. */
unsigned int fill_lots(const struct restore *r);

/* Waits until so many of them are filled in.  0 or a negative error, said. */
int fill_wait(struct restore *r, unsigned int lots);

#endif
