/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_OBJECTS_OUTSIDE_H
#define TINYCKPT_OBJECTS_OUTSIDE_H

#include "job/save.h"

/* Does a process outside the tree have the same inode open?  Which, the first one found. */
bool outside_holder(struct save *s, const struct opened *o, pid_t *pid, char comm[64]);

#endif
