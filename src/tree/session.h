/* SPDX-License-Identifier: MIT */
/* Making processes in sessions that their parents were never in. */
#ifndef TINYCKPT_TREE_SESSION_H
#define TINYCKPT_TREE_SESSION_H

#include "job/restore.h"

/* Makes those of a RECORD_SESSION.  0 or a negative errno, said. */
int session_restore(struct restore *r, const struct record *rec);

#endif
