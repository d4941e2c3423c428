/* SPDX-License-Identifier: MIT */
/*
 * Writing behind: a thread writes lots while the next ones are made.  What a large workload stands still for is then the
 * slower of reading and writing it, not their sum; some lots lie between the two, so that neither waits for the other's
 * every breath.
 *
 * It writes to one file, in order, and touches nothing else.  It dies with the process.
 */
#ifndef TINYCKPT_IMAGE_BEHIND_H
#define TINYCKPT_IMAGE_BEHIND_H

#include <sys/uio.h>

#include "config.h"
#include "image/target.h"

struct behind;

enum { BEHIND_LOTS = 4 };

/*
 * A thread that writes to the target, which is its until behind_stop().  NULL: there can be none (out of memory, a limit),
 * which is no failure: write directly.
 */
struct behind *behind_start(struct image_target *target);

/*
 * Hands over a lot: two pieces, which must stay as they are for BEHIND_LOTS - 1 more calls, or until behind_wait().
 * 0, or the negative errno of the first lot that could not be written; nothing is written after that.
 */
int behind_write(struct behind *b, const struct iovec pieces[2]);

/* Waits until all is written.  The same result.  NULL: 0. */
int behind_wait(struct behind *b);

/* Ends the thread after what it has been given, and frees b, which may be NULL. */
void behind_stop(struct behind *b);

#endif
