/* SPDX-License-Identifier: MIT */
/* What of a process, beside its memory and what it has open, cannot be saved. */
#ifndef TINYCKPT_TREE_OBSTACLES_H
#define TINYCKPT_TREE_OBSTACLES_H

#include "job/save.h"

/* Names all of it (save.h, obstacle()).  Needs nothing but /proc and, when the tree is held, ptrace. */
void obstacles_find(struct save *s, struct process *p);

/* The same for the shape of the tree, which it puts in order.  0 or a negative errno, said. */
int obstacles_of_tree(struct save *s);

#endif
