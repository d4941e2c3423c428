/* SPDX-License-Identifier: MIT */
/* Making processes with their old numbers, in their old families and sessions. */
#ifndef TINYCKPT_TREE_BIRTH_H
#define TINYCKPT_TREE_BIRTH_H

#include "job/restore.h"

/* Makes the process of a RECORD_PROCESS: the root, or forked from its parent.  It stands still, signals blocked. */
int birth(struct restore *r, const struct record *rec);

/* Thread tid of the process; the number must be free. */
int birth_thread(struct restore *r, pid_t pid, pid_t tid);

/* No more threads come for the process but its leader: have all that are there come? */
int birth_threads_end(const struct restore *r, pid_t pid);

struct born *birth_find(const struct restore *r, pid_t pid);

/*
 * Has the process `in` fork one with *number, which must be free, or with any (0), which then is in it.  flags: 0 or
 * CLONE_PARENT, which takes the exit signal from `in`.  It stands still.  0 or a negative errno, said.
 */
int birth_clone(struct restore *r, pid_t in, pid_t *number, uint64_t flags, uint64_t exit_signal);

/* Has a process make the session that it leads, if it leads one and has not yet. */
int birth_lead(struct restore *r, const struct born *b);

/* Ends a process that was made for a while only, its parent taking note. */
int birth_end(struct restore *r, pid_t pid, pid_t parent);

/* Takes note of the end of a task that was made. */
void birth_forget(struct restore *r, pid_t tid);

#endif
