/* SPDX-License-Identifier: MIT */
/* What takes the whole tree to be there. */
#ifndef TINYCKPT_TREE_SETTLE_H
#define TINYCKPT_TREE_SETTLE_H

#include "job/restore.h"

/* Process groups, the last sessions, stopped processes; then ghosts and zombies end.  0 or a negative errno, said. */
int settle(struct restore *r);

/* A process that is not yet revived was stopped and goes on: its parent can wait for that.  0 or a negative errno, said. */
int settle_continue(struct restore *r, const struct born *b);

#endif
