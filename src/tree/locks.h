/* SPDX-License-Identifier: MIT */
/*
 * Locks on files: those of flock(2) and F_OFD_SETLK, which belong to an open file description, and those of F_SETLK, which
 * belong to a process and are lost as soon as it closes any descriptor of the file.  All are taken again by the processes
 * themselves, when nothing is left to be closed; to take one twice, by two processes that share it, changes nothing.
 */
#ifndef TINYCKPT_TREE_LOCKS_H
#define TINYCKPT_TREE_LOCKS_H

#include <sys/types.h>

#include "job/restore.h"
#include "job/save.h"
#include "process.pb.h"

enum { LOCK_FLOCK = 1, LOCK_DESCRIPTION, LOCK_PROCESS };	/* Lock.kind */

static inline bool lock_sane(const Lock *m)
{
	return m->kind && m->kind <= LOCK_PROCESS && m->start <= INT64_MAX && m->length <= INT64_MAX - m->start;
}

/* Names those of an opening that cannot be saved (leases), as obstacles.  0 or a negative errno, said. */
int locks_check(struct save *s, const struct opened *o);

/* Writes those of a process, whose descriptors are written.  0 or a negative errno, said. */
int locks_save(struct save *s, const struct process *p);

/* Notes one of the process at hand.  0 or a negative errno, said: another process may hold it. */
int locks_note(struct restore *r, const struct record *rec);

/* Has the process, in which nothing is closed any more, take those that were noted.  0 or a negative errno, said. */
int locks_take(struct restore *r, pid_t tid);

#endif
