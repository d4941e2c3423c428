/* SPDX-License-Identifier: MIT */
/* Calls that restore has threads make anew, and that a signal has ended before. */
#ifndef TINYCKPT_TREE_ENDED_CALLS_H
#define TINYCKPT_TREE_ENDED_CALLS_H

#include "job/restore.h"
#include "thread.pb.h"

/* The call of a thread is to be made anew; a signal that comes before the release ends it (signal(7)).  0 or -ENOMEM, said. */
int ended_calls_note(struct restore *r, const Thread *m);

/* Just before the thread is released: ends its call if that was noted, and a signal has come. */
void ended_calls_end(const struct restore *r, pid_t tid);

#endif
