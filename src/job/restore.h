/* SPDX-License-Identifier: MIT */
/* A restore under way: what all that take part in it know of it. */
#ifndef TINYCKPT_JOB_RESTORE_H
#define TINYCKPT_JOB_RESTORE_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch.h"
#include "base/buffer.h"
#include "base/ranges.h"
#include "clocks.pb.h"
#include "image/reader.h"
#include "job/stand_in.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/timens.h"
#include "process.pb.h"
#include "thread.pb.h"

struct restore_options {
	const char *image;	/* a path; "-": standard input */
	const char *key;	/* the file of the key, see image/key.h; NULL: none */
	bool detach;
	const char *pidfile;	/* or NULL */
	const struct rules *rules;	/* objects/rules.h: they come before what the image says; or NULL */
	bool pidns;		/* we are in the tree's own PID namespace */
	bool advance;		/* the clocks count the time that was lost */
	bool tell;		/* where the kernel cannot have them go on, the vDSO tells programs that they did */
};

/* A process of the tree that was made anew. */
struct born {
	pid_t pid, parent, sid, pgid;
	uint32_t before;		/* one more than the index of the one before it in the same box; 0: none */
	bool zombie;
	bool leads_group;		/* or has led one that others are in, see tree/settle.c */
	uint8_t stop_signal;
	uint32_t exit_status, exit_signal;
	uint32_t threads;
	char comm[64];
	struct stand_in vdso;		/* where programs call it, if ordinary memory stands in for it */
	bool stood_in;			/* and did so at the save */
};

/* A session's leader that was dead: it lives until the tree is settled. */
struct ghost {
	pid_t pid, parent;
};

enum { VMA_LABEL = 80 };

/* A mapping of the process that is being mapped, see tree/mapped.h: whole uint64_t, as struct ranges wants them. */
struct mapped {
	uint64_t start, end;
	union {
		struct {
			uint64_t pgoff;
			uint32_t file;
			uint32_t label;		/* where restore.labels has its name; 0: none */
			uint64_t huge;
		};
		struct {	/* of VmaKind_VDSO */
			char name[16];
			uint32_t crc, text;
		};
	};
	/* what differs most often first: it takes less there */
	uint64_t prot : 8, untouched : 1, inherited : 1, kind : 3, noreserve : 1, shared : 1, dontdump : 1, locked : 1, onfault : 1,
		hugepage : 1, nohugepage : 1, mergeable : 1, grows_down : 1, droppable : 1, spare : 1, advice : 8;
};

/* What every task that is made here starts with, as it comes down from the tool; asked for once. */
struct inheritance {
	bool known;
	struct proc_credentials credentials;
	uint8_t affinity[128];
	long affinity_len;
	uint32_t policy, priority, ioprio, securebits;
	uint64_t timerslack;
	int nice;
};

/* The memory of a process that is being made. */
struct memory {
	pid_t pid;
	struct ranges mapped;		/* struct mapped, and those in a list of their own that are */
	struct buffer own;		/* the kernel's own, or stand in for them: they are few, and change */
	uint64_t end;			/* of the last one */
	struct buffer labels;		/* names of anonymous memory, each ended by a NUL, the first one empty */
	int uffd;			/* how what is fresh of it is filled, see tree/install.h; or -1 */
	int uffd_there;			/* the same in the process */
	unsigned int lots;		/* of restore.filler, that are to be done before all of it is filled */
	struct filled {			/* where pages went last, see install_part() */
		uint64_t from;
		struct ranges_at at;
		struct mapped mapping;	/* the first one that ends behind it */
	} filled;
};

struct restore {
	const struct restore_options *options;
	struct image_reader image;
	uint64_t page_size;
	Tree tree;

	int world;	/* where it begins, see job/world.h */
	uint32_t last_id;
	uint32_t contents_of;		/* the unlinked file that contents belong to */
	uint64_t contents_size, contents_huge;
	int contents_fd;		/* writable; gone before anything may be executed from it; -1: they are not wanted */
	struct buffer timerfds;		/* Timerfd, see objects/timerfd.c */
	struct buffer remade;		/* struct remade, see objects/changed.h */

	uint64_t area;			/* in every process: the blob, programs, stacks */
	struct arch_regs entry;		/* registers to enter it with; all tasks have the same segments */
	bool entry_known;
	int stop_signal;		/* what is delivered for SIGSTOP */
	struct inheritance inherited;
	struct buffer tasks, groups;	/* uint32_t: numbers that must be free, as far as is known beforehand */
	pid_t *agent;			/* the number of the agent, which is us, where the tool looks for it */
	Clocks clocks;
	bool own_clocks;		/* the tree gets a time namespace */
	struct two_clocks clock_offset;	/* where it would need one and the kernel has none: what its clocks lack */
	struct two_clocks began;	/* what they show, for the kernel, as they go on, */
	int64_t began_here;		/* and CLOCK_MONOTONIC for us */

	cpu_set_t others;		/* processors of the tool, but for the one that it stays on */
	struct filler *filler;		/* see tree/fill.h */
	unsigned int lots;		/* records of pages so far */
	unsigned int steps;		/* of the deadline, see make_tree() */

	struct buffer born;		/* struct born */
	struct buffer ghosts;		/* struct ghost */
	struct buffer made;		/* pid_t: processes that are there before their records, see tree/session.c */
	struct buffer threads;		/* pid_t: every thread that is held */
	struct {
		size_t next, end;	/* among tasks */
		pid_t pid;
	} made_threads;			/* of this process: threads that are there before their records */
	uint64_t caught;		/* signals of the process at hand that have handlers */
	uint64_t of_children;		/* signals that may tell of those that end or stop while all is made */
	struct buffer again;		/* struct again, see tree/made_again.c */

	/* what the records that come next belong to */
	pid_t pid;			/* the process */
	bool mapping;			/* its mappings are still coming */
	struct memory memory;
	struct memory aside;		/* of the one before, while the filler is still at it; or pid is 0 */
	bool may_install, no_install;	/* this kernel has it, or has not */
	struct buffer texts;		/* of vDSOs, see tree/vdso.c */
	struct buffer stand_ins;	/* struct stand_in: of the process that is being mapped */
	struct two_clocks told;		/* what the stand-in for the vDSO adds to both clocks, if that is wanted */
	bool no_labels;			/* this kernel gives none */
	bool settled;			/* sessions, groups, zombies: the first part is over */
	State state;			/* second part */
	struct buffer locks;		/* struct note, see tree/locks.c */
	struct buffer timers;		/* struct noted_timer, see tree/posix_timers.c */
	uint32_t next_timer;		/* the lowest ID that the next one can have */
	struct kernel_sigaction sigtrap;	/* its action, when it is ignored */
	siginfo_t traps[2];		/* SIGTRAP that is pending for the thread, for the process; si_signo 0: none */
	bool have_thread;		/* a thread that ran its program but has not got its registers */
	Thread thread;
	struct buffer registers;

	uint32_t born_box[64];		/* by the last bits of the number: one more than the index of the newest one in born */
};

/* Takes over fd as description id.  Closes it on failure. */
int world_add(struct restore *r, int fd, uint32_t id);

/* The descriptor of id, or -1. */
int world_fd(const struct restore *r, uint32_t id);

/* No more contents come for the unlinked file that was made last. */
void world_contents_end(struct restore *r);

#endif
