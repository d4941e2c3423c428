/* SPDX-License-Identifier: MIT */
/*
 * Filling memory on two processors (CONFIG_COPY_BEHIND), where there are two.  A thread, and whoever waits for it, each read
 * bodies of pages, check them and fill them in by themselves: what one processor has read comes to another one only slowly.
 */
#ifndef TINYCKPT_TREE_FILL_H
#define TINYCKPT_TREE_FILL_H

#include <stdbool.h>
#include <sys/uio.h>

#include "job/restore.h"

enum { FILL_PLACES_MAX = BODY_MAX / 4096 };	/* as many as a body has pages, where these are smallest */

/* Are bodies of pages to be passed over, and left to fill_behind()?  From some lots on they are. */
bool fill_wanted(struct restore *r);

/* The body of this record, which was passed over, is for n places (at most FILL_PLACES_MAX) in the process at hand. */
void fill_behind(struct restore *r, const struct record *rec, const struct iovec *there, size_t n);

/* Lots that were left to it so far. */
unsigned int fill_lots(const struct restore *r);

/* Waits until so many of them are filled in.  0 or a negative error, said. */
int fill_wait(struct restore *r, unsigned int lots);

#endif
