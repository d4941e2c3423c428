/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_OBJECTS_UNLINKED_H
#define TINYCKPT_OBJECTS_UNLINKED_H

#include <stdbool.h>
#include <stdint.h>

#include "job/save.h"

/*
 * Writes a file's contents as Contents of ID, holes left out; sparse: holes are not told, and read as zeros (hugetlbfs).  What
 * restore() has set up in restore.contents_*, and verify() in verify.contents_*, takes them.  0 or a negative errno, said.
 */
int unlinked_save_contents(struct save *s, const struct opened *o, uint32_t id, bool sparse);

/* Does it have extended attributes or ACLs, but for those that the system's policy gives each file? */
bool unlinked_has_attributes(const struct opened *o);

#endif
