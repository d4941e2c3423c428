/* SPDX-License-Identifier: MIT */
/* What only threads may share, and they must: memory, table of descriptors, working directory. */
#ifndef TINYCKPT_TREE_SHARED_H
#define TINYCKPT_TREE_SHARED_H

#include "job/save.h"
#include "tree/visit.h"

/* Names (save.h, obstacle()) what a process shares with those before it, and its threads do not; nothing where kcmp(2) is missing. */
void shared_find(struct save *s, const struct process *p);

/* The same by a visit, for kernels without kcmp(2); nothing on others.  0, or a negative errno, said. */
int shared_ask(struct save *s, struct visit *v, const struct process *p);

#endif
