/* SPDX-License-Identifier: MIT */
/* All of a process but its memory, out of the image: the records of the second part. */
#ifndef TINYCKPT_TREE_REVIVE_H
#define TINYCKPT_TREE_REVIVE_H

#include "job/restore.h"

int revive_state(struct restore *r, const struct record *rec);
int revive_advice(struct restore *r, const struct record *rec);
int revive_stop(struct restore *r, const struct record *rec);
int revive_sigactions(struct restore *r, const struct record *rec);
int revive_descriptors(struct restore *r, const struct record *rec);
int revive_pending(struct restore *r, const struct record *rec);
int revive_thread(struct restore *r, const struct record *rec);

/* What the last records belong to is complete: registers are set, the area is gone. */
int revive_finish(struct restore *r);

#endif
