/* SPDX-License-Identifier: MIT */
/*
 * Which of the encrypted images of a name is the newest, and whether it was restored: a note beside the image,
 * ".NAME.newest", authentic by the same key:
 *
 *   random (24)   header of secretstream
 *   one message   id of the newest image (24), id of the one that it replaces (24), 1: the newest was restored (1)
 *                 authentic together with the name
 *
 * An image is restored once, and none but the newest.  The note is on disk before the image takes its name, with both
 * ids in it, and once more after that with one: whenever the power is cut, the image that is there is one that it has.
 *
 * An image without its note is refused: else who removes the note would bring back any image of this machine.  Who can put
 * back both, as they were together, can do so still.  What went to standard output has no name, and no note.
 */
#ifndef TINYCKPT_IMAGE_NEWEST_H
#define TINYCKPT_IMAGE_NEWEST_H

#include "image/seal.h"

/* The image that was written with s is complete, and takes its name in DIRECTORY next.  0 or a negative error, said. */
int newest_announce(const struct seal *s, int directory);

/* It has it. */
int newest_settle(const struct seal *s, int directory);

/* May the image that is read with s, from fd, be restored?  0, or a negative error, said: -EIMAGE when not. */
int newest_check(const struct seal *s, int fd);

/* It is restored, which is on disk when this returns.  0 or a negative error, said. */
int newest_restored(const struct seal *s, int fd);

#endif
