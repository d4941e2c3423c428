/* SPDX-License-Identifier: MIT */
/*
 * Working behind: a thread copies lots while the next ones are made ready.  What a large workload stands still for is then
 * the slower of the two, not their sum; some lots lie between them, so that neither waits for the other's every breath.
 *
 * The thread does the lots in order, and nothing else.  It dies with the process.
 */
#ifndef TINYCKPT_IMAGE_BEHIND_H
#define TINYCKPT_IMAGE_BEHIND_H

#include <sched.h>
#include <stdbool.h>

#include "config.h"

struct behind;

/* Does the lot in this place of the caller's: 0, or a negative errno, after which nothing more is done. */
typedef int behind_work(void *arg, unsigned int place);

/*
 * A thread for lots that the caller keeps in so many places, used in turn from 0 on; on one of these processors, NULL: on any.
 * NULL: there can be none (out of memory, a limit), which is no failure: do the work directly.
 */
struct behind *behind_start(behind_work *work, void *arg, unsigned int places, const cpu_set_t *processors);

/* The place of the lot that is given next, which is free. */
unsigned int behind_place(const struct behind *b);

/* Would behind_give() return without waiting? */
bool behind_has_room(const struct behind *b);

/*
 * Gives it the lot in that place, which must stay as it is for all but one of the places' next calls, or until
 * behind_wait(), and waits for the next place.  0, or the error of the first lot that could not be done.
 */
int behind_give(struct behind *b);

/* Waits until all is done.  The same result.  NULL: 0. */
int behind_wait(struct behind *b);

/* Lots that it was given so far; and to wait until the first so many are done. */
unsigned int behind_given(const struct behind *b);
int behind_wait_for(struct behind *b, unsigned int given);

/* Ends the thread after what it has been given, and frees b, which may be NULL. */
void behind_stop(struct behind *b);

#endif
