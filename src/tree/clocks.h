/* SPDX-License-Identifier: MIT */
/* CLOCK_MONOTONIC and CLOCK_BOOTTIME of the tree: they begin anew with every boot, and for it they go on. */
#ifndef TINYCKPT_TREE_CLOCKS_H
#define TINYCKPT_TREE_CLOCKS_H

#include "job/restore.h"
#include "job/save.h"
#include "kernel/program.h"

/* Takes note of what they show; all of the tree stands still.  0 or a negative errno, said. */
int clocks_stop(struct save *s);

/* Writes the record. */
int clocks_save(struct save *s);

/*
 * How can they go on from what a record tells?  *own: in a time namespace of the tree's own; else *lack is what they would show
 * too little, 0 when nothing.  0 or a negative errno, said; -EIMAGE: the record is absurd.
 */
int clocks_look(const Clocks *m, bool advance, bool *own, struct two_clocks *lack);

/* Warns, if that is not 0. */
void clocks_tell(const struct two_clocks *lack);

/* Reads the record, and finds out how they can go on: r->own_clocks or r->clock_offset. */
int clocks_restore(struct restore *r, const struct record *rec);

/* From now on they do, for the processes that join. */
int clocks_go_on(struct restore *r);

/* For how long have they done so, in ns?  0 where the image has none (a tinyckpt without CONFIG_CLOCKS). */
int64_t clocks_gone_on(const struct restore *r);

/* Adds what a process does that joins, still without threads and with all its rights. */
void clocks_join(const struct restore *r, struct program *p);

/*
 * Where they cannot, the kernel's own deadlines still hold.  Is the call, which was interrupted, one that waits until a moment
 * of the tree's clocks?
 */
bool clocks_hold(const struct restore *r, const struct arch_interrupted *call);

/* What was in the task's memory in the place of a deadline; len 0: nothing was changed. */
struct deadline {
	uint64_t at;
	uint8_t bytes[16];
	size_t len;
};

/*
 * Changes the arguments of such a call in regs, and the deadline in the task's memory, so that it waits until the same moment of
 * this machine's clocks, and goes on with that when it is restarted; and puts them back once it has been made.  0 or a negative
 * errno, unsaid.
 */
int clocks_rebase(const struct restore *r, pid_t tid, const struct arch_interrupted *call, struct arch_regs *regs,
		  struct deadline *was);
int clocks_put_back(pid_t tid, const struct arch_interrupted *call, struct arch_regs *regs, const struct deadline *was);

/* For how long the tree has been standing still, in ns: kernel timers that are looked at now have run on. */
int64_t clocks_standstill(const struct save *s);

#endif
