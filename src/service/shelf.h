/* SPDX-License-Identifier: MIT */
/*
 * What becomes of an image is told by its name, which changes in one step, on disk before anything is done that relies on it:
 *
 *   NAME.tck          ready: saved, and not tried since
 *   NAME.tck.trying   being restored; found at a boot, the attempt was cut short, and there is no second one
 *   NAME.tck.done     restored: what it held goes on elsewhere
 *   NAME.tck.failed   it did not come back
 */
#ifndef TINYCKPT_SERVICE_SHELF_H
#define TINYCKPT_SERVICE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum shelf { SHELF_READY, SHELF_TRYING, SHELF_DONE, SHELF_FAILED, SHELVES };

/* What stands behind NAME. */
extern const char *const shelf_suffix[SHELVES];

/* In one word, for people. */
extern const char *const shelf_word[SHELVES];

/*
 * The folder of images, opened and locked, since two tinyckpts at a time would see each other's halves.  But who may read it can
 * lock it, too: nobody is waited for longer than patience, in ms.  make: it is made where there is none, *made then tells so.
 * *directory: the caller's to close; -1: there is none, or, on an error, none to be used.  0 or a negative errno, said.
 */
int shelf_open(const char *dir, bool make, int64_t patience, int *directory, bool *made);

/* Into path: DIR/NAME and the suffix.  0 or -ENAMETOOLONG, said. */
int shelf_path(char *path, size_t cap, const char *dir, const char *name, enum shelf shelf);

/* Is the image there?  directory: where images lie, open. */
bool shelf_has(int directory, const char *name, enum shelf shelf);

/* Renames it, over an older one there, and waits until that is on disk.  0 or a negative errno, said. */
int shelf_move(int directory, const char *name, enum shelf from, enum shelf to);

/* Removes what is of use no more when there is a new image; true when there was any. */
bool shelf_clear(int directory, const char *name);

#endif
