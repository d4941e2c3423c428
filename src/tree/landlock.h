/* SPDX-License-Identifier: MIT */
/*
 * Landlock (Linux 5.13) tells nobody whom it confines, and a process that is made anew is confined no longer.  But it has its say
 * before the file system does: what would fail anyway then fails in another way.
 */
#ifndef TINYCKPT_TREE_LANDLOCK_H
#define TINYCKPT_TREE_LANDLOCK_H

#include "job/tree.h"
#include "kernel/program.h"

/* Adds the question to a program of the process; -1: there is none to ask. */
int landlock_ask(struct program *p, const struct process *process);

/* The program was worked off, and read back: is it confined, for all that can be told? */
bool landlock_confines(const struct program *p, int asked);

#endif
