/* SPDX-License-Identifier: MIT */
/* POSIX timers (timer_create(2)) that cannot be saved. */
#ifndef TINYCKPT_TREE_TIMERS_H
#define TINYCKPT_TREE_TIMERS_H

#include "job/save.h"
#include "tree/visit.h"

/* Names them (save.h, obstacle()); nothing where the kernel has no file that tells of them. */
void timers_find(struct save *s, struct process *p);

/* The same by a visit, where it has none; nothing on others.  0, or a negative errno, said. */
int timers_ask(struct save *s, struct visit *v);

#endif
