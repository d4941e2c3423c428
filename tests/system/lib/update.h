/* SPDX-License-Identifier: MIT */
/*
 * What an update does to files of a test. DIR/update has their names, one a line; NAME.new beside one is what comes in its
 * place, without it the file goes.
 */
#ifndef UPDATE_H
#define UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The old file stays as NAME.old. False: it could not be done. */
bool update_apply(const char *directory);
/* The old content is back under its name, in a new inode. */
bool update_undo(const char *directory);

/*
 * Where mappings of the files must be from: the files themselves, or what stands in for them, for all processes the same.
 * False with the reason in text.
 */
bool update_mapped(const char *directory, const pid_t *tree, int count, bool stand_ins, char *text, size_t size);

#endif
