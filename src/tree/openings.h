/* SPDX-License-Identifier: MIT */
/* What a tree has open: every open file description once, whoever shares it. */
#ifndef TINYCKPT_TREE_OPENINGS_H
#define TINYCKPT_TREE_OPENINGS_H

#include "job/save.h"

/* Notes the descriptors that a process has, into s->numbers.  0 or a negative errno, said. */
int openings_find(struct save *s, struct process *p);

/*
 * Walks over every noted descriptor, mapped file and directory of the tree: names what stands in the way (obstacle()); while
 * nothing does, writes their records and notes their places.  When s->checking nothing is written.  0 or a negative
 * errno, said.
 */
int openings_save(struct save *s);

/* The id of a mapped file that openings_save() has seen; 0: none. */
uint32_t openings_mapped(struct save *s, const struct vma *v);

/* The id at a place (PLACE_CWD, ...) of a process; 0: none. */
uint32_t openings_place(const struct save *s, const struct process *p, int fd);

#endif
