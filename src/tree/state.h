/* SPDX-License-Identifier: MIT */
/* All of a process but its memory and what it has open, on the way into the image. */
#ifndef TINYCKPT_TREE_STATE_H
#define TINYCKPT_TREE_STATE_H

#include "save.h"

/* Names what stands in the way.  Needs nothing but /proc and, when the tree is held, ptrace.  0 or a negative errno. */
int state_check(struct save *s, const struct process *p);

/* Visits the process and writes its State, Sigactions, Descriptors, Thread and Pending records. */
int state_save(struct save *s, const struct process *p);

#endif
