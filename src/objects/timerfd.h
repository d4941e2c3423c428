/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_OBJECTS_TIMERFD_H
#define TINYCKPT_OBJECTS_TIMERFD_H

#include "job/restore.h"

/* The clocks of the tree go on: so do its timerfds.  0 or a negative errno, said. */
int timerfds_go_on(const struct restore *r);

#endif
