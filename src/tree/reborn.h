/* SPDX-License-Identifier: MIT */
/*
 * Running syscall programs in the tasks that restore makes.
 *
 * Every one of them is traced from its birth and dies with the tool (PTRACE_O_EXITKILL) until it is released, so a
 * program may simply stop for the tracer whenever it is through.
 */
#ifndef TINYCKPT_TREE_REBORN_H
#define TINYCKPT_TREE_REBORN_H

#include "job/restore.h"
#include "kernel/program.h"

enum {
	REBORN_BLOB = 0x1000,		/* offsets in the area */
	REBORN_STACK = 0x1000,		/* their tops; nothing of the blob's page is used beyond its first KiB */
	REBORN_PROGRAM = 0x1000,
	REBORN_PROGRAM_MAX = 0xf000,
	REBORN_AREA = 0x10000,
	REBORN_ROOM = 0x100000,		/* addresses: the area, and behind it the kernel's own mappings on their way (pages of 64 KiB) */
};

/*
 * Maps the area into the tool itself, from where every task inherits it, shared: programs are written where they are run, and
 * there is one at a time. 0 or a negative errno, said.
 */
int reborn_area(struct restore *r);

/* An empty program. */
void reborn_program(struct restore *r, struct program *p);

/* Runs it in a thread that is held; its results are then in p.  what: "its mappings", for messages. */
int reborn_run(struct restore *r, pid_t tid, struct program *p, const char *what);

/* Makes room for so many operations and bytes of data: runs what there is when they would not fit. */
int reborn_room(struct restore *r, pid_t tid, struct program *p, size_t ops, size_t data, const char *what);

/* Adds to the program: closes all descriptors from FIRST to LAST. */
int reborn_close(struct restore *r, pid_t tid, struct program *p, int first, int last);

/* Waits until a thread that was just born stands still, and notes it. */
int reborn_note(struct restore *r, pid_t tid);

/* Has it run to the next stop before or behind a system call, past those by which its process is stopped. */
int reborn_to_syscall(pid_t tid);

/* Ends the thread by that system call, exit(2) or exit_group(2); it has not to be reaped yet. */
int reborn_exit(struct restore *r, pid_t tid, long nr, int status);

/* Has the task send itself the signal: tid 0: as one of the process. */
void reborn_send(struct program *p, pid_t pid, pid_t tid, const siginfo_t *info);

/*
 * The last system calls, without a trap behind them: what traps would have spoilt and, in the last thread, the area's unmapping.
 * Leaves the thread behind them, all signals blocked if need be.
 */
int reborn_leave(struct restore *r, pid_t tid, bool last);

#endif
