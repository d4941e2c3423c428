/* SPDX-License-Identifier: MIT */
/* The list of what a process that is being made shall have mapped, in the order of addresses. */
#ifndef TINYCKPT_TREE_MAPPED_H
#define TINYCKPT_TREE_MAPPED_H

#include "job/restore.h"

/* Where one is in it; start with { 0 }. */
struct mapped_at {
	struct ranges_at at;
	struct mapped packed;		/* the next one of memory.mapped, */
	bool has;			/* if it was read already */
	size_t own;			/* so many of memory.own were had */
};

/* Appends a mapping, which is above all others.  0 or a negative errno, said. */
int mapped_add(struct memory *m, const struct mapped *v);

/* The next one, which is copied to V.  False: that was the last. */
bool mapped_next(const struct memory *m, struct mapped_at *at, struct mapped *v);

/* The kernel's own, and what stands in for them: an array, n of them, which mapped_next() has as they are by then. */
struct mapped *mapped_own(const struct memory *m, size_t *n);

#endif
