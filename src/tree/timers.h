/* SPDX-License-Identifier: MIT */
/*
 * POSIX timers (timer_create(2)) that cannot be saved, and timers of all kinds that end while the tree stands still: by its clocks
 * that is too early, so that what is pending of them is not saved, and they are to end again.
 */
#ifndef TINYCKPT_TREE_TIMERS_H
#define TINYCKPT_TREE_TIMERS_H

#include <signal.h>
#include <stdbool.h>

#include "job/save.h"
#include "tree/visit.h"

/* Names them (save.h, obstacle()); nothing where the kernel has no file that tells of them. */
void timers_find(struct save *s, struct process *p);

/* The same by a visit, where it has none; nothing on others.  0, or a negative errno, said. */
int timers_ask(struct save *s, struct visit *v);

/* Notes, just before the clocks stop, whose signals are pending by then; save_look() does for later ones.  0 or a negative errno, said. */
int timers_stop(struct save *s);

/*
 * Is this signal, pending for the thread or (shared) for its process, that of ITIMER_REAL (setitimer(2), alarm(2)), which has ended
 * later and, as it was written, is yet to end?  Then it will come again.
 */
bool timers_send_again(const struct save *s, pid_t tid, bool shared, const siginfo_t *info);

/*
 * Is such a signal pending now, of that POSIX timer or (ALARM) of ITIMER_REAL?  When it came, at the latest, in ns since the clocks
 * stopped; 0: before, or there is none.
 */
enum { ALARM = -1 };
uint64_t timers_rang(const struct save *s, pid_t tid, bool shared, int id);

#endif
