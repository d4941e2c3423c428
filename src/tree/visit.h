/* SPDX-License-Identifier: MIT */
/*
 * Visiting a process that is held still: its threads run syscall programs and go back to where they stood.
 *
 * The leader comes first and stays in the area that it maps; other threads, one at a time, work in the same area.
 * At every instant each of them would walk home by itself, should the tool die.
 *
 * The leader's way has steps, and each function starts one and does not wait for its end: several processes, visited
 * side by side, take their steps while the tool is with another.  Waiting ends with -ETIMEDOUT by wait_deadline()
 * (kernel/ptrace.h), which is the caller's.
 */
#ifndef TINYCKPT_TREE_VISIT_H
#define TINYCKPT_TREE_VISIT_H

#include <stdint.h>

#include "job/tree.h"
#include "kernel/abi.h"
#include "kernel/program.h"
#include "kernel/ptrace.h"
#include "kernel/restart.h"
#include "tree/library_rseq.h"

enum {
	VISIT_PROGRAM_MAX = 24 * 1024,
	VISIT_STAY = 1024,	/* of those bytes the visit itself needs so many */
};

struct visitor {		/* one thread that is in the area */
	pid_t tid;
	struct arch_home home;
	uint64_t stub;		/* dead bytes that are its way home */
	uint64_t leave;		/* where the interpreter jumps to get there */
	uint8_t near_was[ARCH_NEAR_MAX + 1];	/* what was where its last jump is now */
	struct arch_way way;	/* offsets in them */
	bool away;		/* it is on, or at, its way home */
	struct rseq_configuration rseq;	/* rseq_abi_pointer 0: none */
	bool rseq_untold;	/* this kernel does not tell of it (before Linux 5.13): it is guessed, or 0 */
	unsigned long tls;	/* its thread pointer, where that is in no register set */
	int arrival;		/* the operation of its program that shows that it is done */
	uint8_t *lost;		/* it goes home by a frame, see tree/frame.h; NULL: it does not */
	size_t lost_len;	/* bytes there: ARCH_REGSET_LOST as it was at home; 0: it will not be missed */
};

struct visit {
	pid_t pid;
	uint64_t area;		/* 0: not mapped */
	int mem;		/* /proc/PID/mem: it writes where the task itself may not */
	const struct process *p;
	uint64_t dead;		/* dead bytes of an executable mapping, room for two ways home */
	uint8_t dead_was[2 * ARCH_HOME_MAX];	/* what was there */
	struct visitor leader, thread;
	struct library_rseq library;
	enum {
		VISIT_AT_HOME, VISIT_BEFORE_MMAP, VISIT_BEHIND_MMAP, VISIT_INSIDE, VISIT_BEFORE_MUNMAP, VISIT_BEHIND_MUNMAP,
	} place;		/* where the leader is, or is about to be */
	struct op undo[2];	/* what the leader does before it goes home by itself, nr 0: nothing; the caller's to set */
	bool stopped;		/* the process was, by a stopping signal, when it was last waited for */
	bool runs;		/* it was let go, and not yet waited for */
	void *buffer;		/* VISIT_PROGRAM_MAX bytes, the caller's: where programs are built */
};

/* free_area: VISIT_AREA bytes there are free in the process.  All functions return 0 or a negative errno, said. */
enum {
	VISIT_AREA = 64 * 1024,
	VISIT_MARK = 0x410,	/* in it, a word that is the caller's */
	VISIT_FRAME = 0xa000,	/* in it, to its end: for tree/frame.h */
};
int visit_begin(struct visit *v, const struct process *p, uint64_t free_area, void *buffer);
int visit_enter(struct visit *v);	/* twice: to the entry of mmap(2), and behind it */

/* An empty program for a thread of the process, to be filled in; results are read with program_result(). */
void visit_program(struct visit *v, pid_t tid, struct program *p);

/*
 * The leader works it off; halt waits for that, and it stays inside.  The program is read back by finish, and its buffer is
 * free in between.
 */
int visit_start(struct visit *v, struct program *p);
int visit_halt(struct visit *v, const struct program *p);
int visit_finish(struct visit *v, struct program *p);
int visit_run(struct visit *v, struct program *p);	/* all three */

/*
 * Another thread is led to its way home, enters and works it off; halt waits for that; then it is home again, and v->thread.home
 * tells its registers and signal mask there.  The caller may take v->thread.lost away, to free it.
 */
int visit_thread_begin(struct visit *v, const struct thread *thread);
int visit_thread_start(struct visit *v, struct program *p);
int visit_thread_halt(struct visit *v, const struct program *p);
int visit_thread_end(struct visit *v, struct program *p);

int visit_leave(struct visit *v);	/* twice: to the entry of munmap(2), and behind it */

/* Everyone is home again, and the area is gone.  Also to be called when anything above failed. */
int visit_end(struct visit *v);

/*
 * Is a thread that is held still on its way home from a visit whose tool was killed?  Then it must be let go and held
 * again later: what it stands in is not its own.
 */
bool visit_is_away(pid_t pid, const struct arch_regs *regs);

/* What mlockall(2) asked for mappings to come (MCL_*): nothing but a new mapping, such as the area, tells. */
int visit_mlockall(const struct visit *v, uint32_t *flags);

#endif
