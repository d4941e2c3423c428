/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_RESTORE_H
#define TINYCKPT_RESTORE_H

#include "job/restore.h"

/*
 * Brings the tree of an image back.  0 when it was released (and, unless options->detach, has ended: *status is then
 * its wait status), or a negative error, said; nothing of the tree is left then.
 */
int restore_tree(const struct restore_options *options, int *status);

#endif
