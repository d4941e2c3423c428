/* SPDX-License-Identifier: MIT */
/* Making processes with their old numbers, in their old families, sessions and groups. */
#ifndef TINYCKPT_TREE_BIRTH_H
#define TINYCKPT_TREE_BIRTH_H

#include "job/restore.h"

/* Makes the process of a RECORD_PROCESS: the root, or forked from its parent.  It stands still, signals blocked. */
int birth(struct restore *r, const struct record *rec);

/* When all are there: sessions, process groups, stopped processes; then zombies end. */
int birth_settle(struct restore *r);

/* One program operation that makes thread tid of the calling process; the number must be free. */
int birth_thread(struct restore *r, pid_t pid, pid_t tid);

struct born *birth_find(const struct restore *r, pid_t pid);

#endif
