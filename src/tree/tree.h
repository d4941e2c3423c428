/* SPDX-License-Identifier: MIT */
/* Finding, holding and letting go the process tree of a save. */
#ifndef TINYCKPT_TREE_TREE_H
#define TINYCKPT_TREE_TREE_H

#include "job/tree.h"

/*
 * Finds the tree rooted at pid.  hold: stops every thread of it, until nothing new turns up; what is stopped goes on
 * by itself when the tool dies.  Fails, having said why, with everything released.
 */
int tree_collect(struct tree *tree, pid_t root, bool hold);

/* Lets everything go on as if nothing had been. */
void tree_release(struct tree *tree);

/* From here on the tree ends whole, whatever becomes of the tool; the first of it is dying. */
void tree_doom(struct tree *tree);

/* After tree_doom(): ends every process of the tree and waits until they are gone or zombies of a parent that is not ours. */
void tree_kill(struct tree *tree);

void tree_free(struct tree *tree);

size_t tree_threads(const struct tree *tree);

#endif
