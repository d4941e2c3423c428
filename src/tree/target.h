/* SPDX-License-Identifier: MIT */
/* May this process be saved at all, seen from outside? */
#ifndef TINYCKPT_TREE_TARGET_H
#define TINYCKPT_TREE_TARGET_H

#include "job/save.h"

/* 0, or a negative errno after a line that says why not: no such process, a kernel thread, tinyckpt or what it runs in. */
int target_check(pid_t pid);

/* Fills s->stdio when the options ask for it. */
void target_stdio(struct save *s);

#endif
