/* SPDX-License-Identifier: MIT */
/*
 * Pending signals of POSIX timers.  One of a timer that starts again is bound to it: the timer stands still until that is taken,
 * and only then it is known how often it would have ended meanwhile.  So before a process is saved its threads take what is
 * pending, and queue it again as it was: from then on it tells, and the timer runs.
 */
#ifndef TINYCKPT_TREE_TIMER_SIGNALS_H
#define TINYCKPT_TREE_TIMER_SIGNALS_H

#include <stdbool.h>

#include "job/save.h"
#include "tree/visit.h"

/*
 * Adds that, for what is pending for the thread (shared: for its process), to a program of the thread, which the tool may not
 * outlive.  What cannot be done so is noted, save.unsettled.
 */
void timer_signals_settle(struct save *s, const struct process *p, pid_t tid, bool shared, struct program *prog);

/*
 * To be called when that was run, by the thread (NULL: the leader, which is inside): makes good what a timer has come before.
 * The program's buffer is used again, and v->thread stays what it was.  0 or a negative errno, said.
 */
int timer_signals_settled(struct save *s, struct visit *v, const struct process *p, const struct thread *thread,
			  const struct program *prog);

#endif
