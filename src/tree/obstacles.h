/* SPDX-License-Identifier: MIT */
/* What of a process, beside its memory and what it has open, cannot be saved. */
#ifndef TINYCKPT_TREE_OBSTACLES_H
#define TINYCKPT_TREE_OBSTACLES_H

#include "job/save.h"

/* Names all of it (save.h, obstacle()).  Needs nothing but /proc and, when the tree is held, ptrace. */
void obstacles_find(struct save *s, const struct process *p);

/*
 * The same for the shape of the tree: a process gets into a session only by being born there, so that what parents have
 * died, or children are older than their parent's setsid(2), decides whether restore can make it again.
 */
void obstacles_of_tree(struct save *s);

#endif
