/* SPDX-License-Identifier: MIT */
/*
 * System calls that restore has threads make again before they are released, to be interrupted at once: then the kernel knows of them.
 * Sleeps go on with what remained of them.  And a signal ends the call by the rules of signal(7), also one that comes while the thread
 * waits for a processor: were its handler to run before the call is made, a pause(2), say, would wait for another one.
 */
#ifndef TINYCKPT_TREE_MADE_AGAIN_H
#define TINYCKPT_TREE_MADE_AGAIN_H

#include "arch.h"
#include "job/restore.h"
#include "thread.pb.h"

/* Notes the thread, which has that call to make, if it is such a one.  0 or -ENOMEM, said. */
int made_again_note(struct restore *r, const Thread *m, const struct arch_interrupted *call);

/* The last step before release, for the threads noted.  0 or a negative errno, said. */
int made_again(struct restore *r);

#endif
