/* SPDX-License-Identifier: MIT */
/* All of the processes but their memory and what they have open, on the way into the image. */
#ifndef TINYCKPT_TREE_STATE_H
#define TINYCKPT_TREE_STATE_H

#include "job/save.h"

/* Visits each process and writes its State, Sigactions, Descriptors, Thread and Pending records.  0 or a negative errno. */
int state_save(struct save *s);

#endif
