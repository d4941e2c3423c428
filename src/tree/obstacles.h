/* SPDX-License-Identifier: MIT */
/* What of a process, beside its memory and what it has open, cannot be saved. */
#ifndef TINYCKPT_TREE_OBSTACLES_H
#define TINYCKPT_TREE_OBSTACLES_H

#include "save.h"

/* Names all of it (save.h, obstacle()).  Needs nothing but /proc and, when the tree is held, ptrace.  0 or a negative errno. */
int obstacles_find(struct save *s, const struct process *p);

#endif
