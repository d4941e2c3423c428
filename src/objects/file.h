/* SPDX-License-Identifier: MIT */
/* What all objects that are files with names have in common. */
#ifndef TINYCKPT_OBJECTS_FILE_H
#define TINYCKPT_OBJECTS_FILE_H

#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"

/* Names what keeps a file that has a name from being opened anew by it. */
void file_check(struct save *s, const struct opened *o);

/*
 * Opens it by its name, when it still is what m->action wants it to be.  R: a missing one may be made anew; NULL: nothing is
 * made, and where one would be, the descriptor is its directory's; V: as verify_open() has it.  A descriptor or a negative error, said.
 */
int file_open(struct restore *r, const struct verify *v, const File *m);

#endif
