/* SPDX-License-Identifier: MIT */
/*
 * POSIX timers (timer_create(2)), as far as the kernel tells of them: /proc/PID/timers has whose time each measures and whom it
 * tells when that is over, the process itself says what remains.
 */
#ifndef TINYCKPT_TREE_POSIX_TIMERS_H
#define TINYCKPT_TREE_POSIX_TIMERS_H

#include <signal.h>
#include <stdbool.h>

#include "job/restore.h"
#include "job/save.h"
#include "timer.pb.h"
#include "tree/visit.h"

/* Names those that cannot be saved (save.h, obstacle()). */
void posix_timers_check(struct save *s, const struct process *p);

/* Writes them; what is pending for the leader, or for the process, is settled just before.  0 or a negative errno, said. */
int posix_timers_save(struct save *s, struct visit *v, const struct process *p);

/* Once all threads have been asked: a warning, if what was pending of a timer could not be settled (tree/timer_signals.h). */
void posix_timers_tell(const struct save *s);

/*
 * Is this pending signal, seen at that time by our CLOCK_MONOTONIC, that of a timer which, as it was written, has not ended yet?
 * Then it will come again.
 */
bool posix_timers_send_again(struct save *s, const siginfo_t *info, int64_t now);

/*
 * Is the record sound, and can this kernel give a timer that ID?  *next: the lowest one that may come, 0 at the start of a process.
 * 0 or a negative errno, said; -EIMAGE: it is not sound.
 */
int posix_timer_sound(const Timer *m, uint32_t *next);
int posix_timer_possible(const Timer *m);

/* Notes one of the process at hand.  0 or a negative errno, said. */
int posix_timers_note(struct restore *r, const struct record *rec);

/*
 * Is this pending signal that of a timer that was noted, which will send it again?  Then it is bound to it, as it was: with all
 * overruns until it is taken.  Else it is to be queued.
 */
bool posix_timers_take_back(struct restore *r, const siginfo_t *info);

/* Has a thread of the process make those that were noted; all threads, which some are for, are there.  0 or a negative errno, said. */
int posix_timers_make(struct restore *r, pid_t tid);

#endif
