/* SPDX-License-Identifier: MIT */
/* CLOCK_MONOTONIC and CLOCK_BOOTTIME of the tree: they begin anew with every boot, and for it they go on. */
#ifndef TINYCKPT_TREE_CLOCKS_H
#define TINYCKPT_TREE_CLOCKS_H

#include "job/restore.h"
#include "job/save.h"
#include "kernel/program.h"

/* Takes note of what they show; all of the tree stands still.  0 or a negative errno, said. */
int clocks_stop(struct save *s);

/* Writes the record. */
int clocks_save(struct save *s);

/* Reads the record, and finds out how they can go on: r->own_clocks or r->clock_offset. */
int clocks_restore(struct restore *r, const struct record *rec);

/* From now on they do, for the processes that join. */
int clocks_go_on(struct restore *r);

/* Adds what a process does that joins, still without threads and with all its rights. */
void clocks_join(const struct restore *r, struct program *p);

/* Is the record sound?  0 or -EIMAGE, said. */
int clocks_check(const Clocks *m);

#endif
