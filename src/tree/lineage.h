/* SPDX-License-Identifier: MIT */
/* How each process of a tree can have got into its session and to its parent. */
#ifndef TINYCKPT_TREE_LINEAGE_H
#define TINYCKPT_TREE_LINEAGE_H

#include "job/save.h"

/*
 * Finds a history of births, setsid(2) and deaths that leads to the tree: puts the processes into an order in which restore
 * can make them, and says what of that is not plain (struct process).  Names those that no history leads to (save.h,
 * obstacle()).  0 or a negative errno, said.
 */
int lineage_find(struct save *s);

/* Writes what restore must know before process i of the tree is made.  0 or a negative errno, said. */
int lineage_save(struct save *s, size_t i);

#endif
