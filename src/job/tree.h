/* SPDX-License-Identifier: MIT */
/* The processes of a save, as they are held still. */
#ifndef TINYCKPT_JOB_TREE_H
#define TINYCKPT_JOB_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "job/stand_in.h"
#include "kernel/restart.h"

struct thread {
	pid_t tid;
	bool like_leader;	/* it has the credentials of the first one */
	struct restart restart;
	bool in_call;		/* it stands at the entry of one, or before a signal that ends it, see way_into_calls() */
	int signal;		/* that it is to be given when it is let go; 0: none */
};

struct process {
	pid_t pid, ppid, pgid, sid;
	pid_t tid;		/* by which /proc and calls reach it: the leader's, or a thread's that outlived that one */
	pid_t birth_sid;	/* the session that it was born in; 0: that does not matter */
	int turn;		/* its place in the order of births, from 1 on; 0: it has none */
	bool stranger;		/* restore does not fork it from its parent, so that it has none of that one's memory */
	char comm[64];
	int tty_nr, exit_signal, exit_code;	/* as /proc/PID/stat has them */
	int parent;		/* index in the tree; -1: the root */
	bool zombie, leader_ended;	/* zombie: all threads have */
	uint64_t no_sa_restart;	/* signals (bit 0: signal 1) whose handlers end a call with EINTR; of one that was asked */
	int stop_signal;	/* it was stopped (SIGSTOP and its kin) when it was held; 0: it ran */
	struct thread *threads;	/* the leader first; without one that ended */
	size_t threads_n;
	size_t halted;		/* so many of them, the first ones, are known to stand still */
	bool complete;		/* all do, and there can be no other */
	bool looked;		/* for their children, since then */
	bool may_make_devices;	/* CAP_MKNOD */
	bool timers;		/* it has some of timer_create(2) that /proc/PID/timers tells of */
	size_t descriptors;	/* so many, see openings_find() */
	size_t place, place_end;	/* of save.places are its: from here to there */
	uint64_t vdso, vdso_end;	/* where it is; 0: it has none, or was not seen yet */
	uint64_t linker, linker_end;	/* the code of its dynamic linker, where that is not the C library as well (musl) */
	struct stand_in stand_in;	/* of its memory, for another kernel's; n 0: none, or not seen yet */
};

struct tree {
	struct process *processes;	/* a parent before its children */
	size_t n;
	bool held;
};

bool tree_has(const struct tree *tree, pid_t pid);

#endif
