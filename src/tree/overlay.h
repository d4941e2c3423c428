/* SPDX-License-Identifier: MIT */
/*
 * An overlay copies a file up when it is opened for writing.  Who has it mapped, or open to read, keeps what lies below, also when it is
 * overwritten in place; by its name, and by /proc, what is above is found.  A restore would take the pages that the workload
 * has not written to itself from there: other code than it ran.
 */
#ifndef TINYCKPT_TREE_OVERLAY_H
#define TINYCKPT_TREE_OVERLAY_H

#include "job/save.h"
#include "kernel/procfs.h"

/* Names it as an obstacle when the mapping shows other bytes than its file has now.  0 or a negative errno, said. */
int overlay_check(struct save *s, const struct process *p, const struct vma *v);

#endif
