/* SPDX-License-Identifier: MIT */
/* Which descriptors a process would close on exec(2), when it was not seen from outside (CONFIG_MANY_FILES). */
#ifndef TINYCKPT_TREE_CLOEXEC_H
#define TINYCKPT_TREE_CLOEXEC_H

#include "job/save.h"
#include "tree/visit.h"

/* Asks its leader, and completes the process's places.  0 or a negative errno, said. */
int cloexec_ask(struct save *s, struct visit *v, const struct process *p);

#endif
