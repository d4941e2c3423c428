/* SPDX-License-Identifier: MIT */
/* Everything about a process tree that can be seen from outside, as sorted text lines that can be compared. */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

enum { MAX_TREE = 512 };

/* The tree below root, root first, sorted by PID behind it; returns the count. */
int tree_list(pid_t root, pid_t *pids);

/*
 * exact: as the kernel prints it, for "nothing at all has changed". Otherwise what a restore is free to change is left
 * out: numbers of pipes (their identity is kept), names of deleted files and of shared anonymous memory, how the kernel
 * merged neighbouring mappings, commit accounting.
 */
void fingerprint(FILE *out, pid_t root, bool exact);

#endif
