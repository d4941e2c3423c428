/* SPDX-License-Identifier: MIT */
/*
 * Visiting a process that is held still: its threads run syscall programs and go back to where they stood.
 *
 * The leader comes first and stays in the area that it maps; other threads, one at a time, work in the same area.
 * At every instant each of them would walk home by itself, should the tool die.
 */
#ifndef TINYCKPT_TREE_VISIT_H
#define TINYCKPT_TREE_VISIT_H

#include <stdint.h>

#include "kernel/program.h"
#include "kernel/ptrace.h"
#include "tree/tree.h"

enum { VISIT_PROGRAM_MAX = 24 * 1024 };

struct visitor {		/* one thread that is in the area */
	pid_t tid;
	struct arch_home home;
	uint64_t stub;		/* dead bytes that are its way home */
	uint64_t walk;		/* where in them the walk begins */
};

struct visit {
	pid_t pid;
	uint64_t area;
	int mem;		/* /proc/PID/mem: it writes where the task itself may not */
	uint64_t dead;		/* dead bytes of an executable mapping, room for two ways home */
	struct visitor leader, thread;
	void *buffer;		/* VISIT_PROGRAM_MAX bytes, the caller's: where programs are built */
};

/* free_area: at least VISIT_AREA bytes there are free in the process.  All return 0 or a negative errno, said. */
enum { VISIT_AREA = 64 * 1024 };
int visit_begin(struct visit *v, const struct process *p, uint64_t free_area, void *buffer);

/* An empty program for a thread of the process, to be filled in and run; results are read with program_result(). */
void visit_program(struct visit *v, pid_t tid, struct program *p);
int visit_run(struct visit *v, pid_t tid, struct program *p);

/*
 * Is a thread that is held still on its way home from a visit whose tool was killed?  Then it must be let go and held
 * again later: what it stands in is not its own.
 */
bool visit_is_away(pid_t pid, pid_t tid);

/* What mlockall(2) asked for mappings to come (MCL_*): nothing but a new mapping, such as the area, tells. */
uint32_t visit_mlockall(const struct visit *v);

/* Everyone is home again, and the area is gone.  Also to be called when something failed in between. */
int visit_end(struct visit *v);

#endif
