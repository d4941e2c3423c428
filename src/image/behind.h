/* SPDX-License-Identifier: MIT */
/*
 * Lots of work that two do: a thread on another processor, and whoever gives them, when there is no place for more.  What a
 * large workload stands still for is then half of it, whichever part of it takes longest.
 *
 * A lot may have to be finished, after it was worked on: the thread does that, in the order in which they were given.  It dies
 * with the process.
 */
#ifndef TINYCKPT_IMAGE_BEHIND_H
#define TINYCKPT_IMAGE_BEHIND_H

#include <sched.h>

#include "config.h"

enum { BEHIND_PLACES_MAX = 8 };

struct behind;

/* Who works on a lot. */
enum behind_who { BEHIND_GIVER, BEHIND_THREAD, BEHIND_WORKERS };

/* Does its part of the lot in this place of the giver's: 0, or a negative errno, after which no more is begun. */
typedef int behind_work(void *arg, unsigned int place, enum behind_who who);

/*
 * A thread for lots that the giver keeps in so many places (at most BEHIND_PLACES_MAX), used in turn from 0 on; on one of
 * these processors, NULL: on any.  FINISH: NULL if nothing is to be finished.  NULL: there can be none (out of memory, a
 * limit), which is no failure: do all of it directly.
 */
struct behind *behind_start(behind_work *work, behind_work *finish, void *arg, unsigned int places, const cpu_set_t *processors);

/* The place of the lot that is given next, which is free. */
unsigned int behind_place(const struct behind *b);

/*
 * Gives the lot in that place, which must stay as it is until it is done, and works until the next place is free.  0, or the
 * error of the first lot that failed.
 */
int behind_give(struct behind *b);

/* Works until all is done.  The same result.  NULL: 0. */
int behind_wait(struct behind *b);

/* Lots that were given so far; and to work until the first so many are done. */
unsigned int behind_given(const struct behind *b);
int behind_wait_for(struct behind *b, unsigned int given);

/* Ends the thread after what was given is done, and frees b, which may be NULL. */
void behind_stop(struct behind *b);

#endif
