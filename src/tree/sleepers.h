/* SPDX-License-Identifier: MIT */
/* Threads that sleep: restore has them make their call again, with what remained of it. */
#ifndef TINYCKPT_TREE_SLEEPERS_H
#define TINYCKPT_TREE_SLEEPERS_H

#include <stdbool.h>

#include "arch.h"
#include "job/restore.h"
#include "thread.pb.h"

/* Does the thread sleep for a time whose rest the kernel wrote elsewhere (rmtp) than the call reads it from? */
bool sleepers_wait(const Thread *m, const struct arch_interrupted *call);

/* The last step before release, for the threads of r->again: their sleeps go on.  0 or a negative errno, said. */
int sleepers_go_on(struct restore *r);

#endif
