/* SPDX-License-Identifier: MIT */
/* What all objects that are files with names have in common. */
#ifndef TINYCKPT_OBJECTS_FILE_H
#define TINYCKPT_OBJECTS_FILE_H

#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"

/* Names what keeps a file that has a name from being opened anew by it. */
void file_check(struct save *s, const struct opened *o);

/*
 * Opens it by its name, when it still is what m->action wants it to be.  R: a missing one may be made anew; NULL: nothing is
 * made, and where one would be, the descriptor is its directory's.  A descriptor or a negative error, said.
 */
int file_open(struct restore *r, const File *m);

static inline uint64_t file_mtime_ns(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

#endif
