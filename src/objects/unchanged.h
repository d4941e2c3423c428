/* SPDX-License-Identifier: MIT */
/* Files that others change while the tree stands still: an image that tells of them as they were would not be restored. */
#ifndef TINYCKPT_OBJECTS_UNCHANGED_H
#define TINYCKPT_OBJECTS_UNCHANGED_H

#include "file.pb.h"
#include "job/save.h"

/* Remembers one that is in the image.  0 or a negative errno, said. */
int unchanged_note(struct save *s, const File *m);

/* At the end: would a restore take them all, as they are now?  0, or -EAGAIN, said. */
int unchanged_check(const struct save *s);

#endif
