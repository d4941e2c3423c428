/* SPDX-License-Identifier: MIT */
/* Where the kernel clears a thread's ID when it ends (set_tid_address(2)), if it does not tell. */
#ifndef TINYCKPT_TREE_TID_ADDRESS_H
#define TINYCKPT_TREE_TID_ADDRESS_H

#include "job/save.h"
#include "thread.pb.h"

/*
 * m: as thread_see() left it, the thread being held still.  0 with m->clear_child_tid, or a negative error, said.  Waits by
 * wait_deadline().
 */
int tid_address_find(struct save *s, Thread *m);

#endif
