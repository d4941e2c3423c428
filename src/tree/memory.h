/* SPDX-License-Identifier: MIT */
/* Address spaces, on their way into the image. */
#ifndef TINYCKPT_TREE_MEMORY_H
#define TINYCKPT_TREE_MEMORY_H

#include "job/save.h"

/* Why a mapping cannot be saved, as far as what is read of it tells; NULL: it can. */
const char *memory_refusal(const struct vma *v);

/* Names the mappings of a process that cannot be saved, and notes its busy addresses.  0 or a negative errno. */
int memory_check(struct save *s, struct process *p);

/* The addresses that are free in every process and as large as can be; 0 or -ENOMEM, said. */
int memory_gap(struct save *s);

/* Writes the Process record's mm fields, its mappings and its pages; notes where its vDSO is. */
int memory_save(struct save *s, struct process *p);

/* Children of one parent compare themselves with it: what was learnt of it is kept until this is called. */
void memory_forget_parent(struct save *s);

#endif
