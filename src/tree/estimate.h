/* SPDX-License-Identifier: MIT */
/* What a save will take, before it is begun. */
#ifndef TINYCKPT_TREE_ESTIMATE_H
#define TINYCKPT_TREE_ESTIMATE_H

#include "job/save.h"

/*
 * Is there room for the image where it goes, and does --max-size allow it?  Of the memory in use, and of what LZ4 makes of it
 * as a rule.  0; -ENOSPC or -EFBIG (said, with the numbers); what cannot be told is no reason to refuse.
 */
int estimate_check(struct save *s);

#endif
