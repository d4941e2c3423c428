/* SPDX-License-Identifier: MIT */
/* A save under way: what all that take part in it know of it. */
#ifndef TINYCKPT_JOB_SAVE_H
#define TINYCKPT_JOB_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/ranges.h"
#include "clocks.pb.h"
#include "image/writer.h"
#include "job/opened.h"
#include "job/tree.h"

struct save_options {
	pid_t pid;
	const char *output;	/* a path; "-": standard output */
	const char *key;	/* the file of the key, see image/key.h; NULL: none */
	bool leave_running;
	bool inherit_stdio;
	int level;		/* of packing: 1 to 9; 0: not at all */
	uint64_t max_size;	/* of the image, bytes; 0: any */
	uint64_t rate;		/* bytes a second, at most; 0: as fast as can be */
	const struct rules *rules;	/* objects/rules.h, or NULL */
	enum { EMBED_NOTHING, EMBED_AT_RISK, EMBED_ALL } embed;	/* see objects/embed.c */
};

/* What all descriptors of one open file description agree in.  Only when they do is the kernel asked. */
struct description_key {
	uint64_t dev, ino;
	uint64_t pos;
	unsigned int flags;
	unsigned int has_fd;	/* 0: known by its inode and flags alone */
};

/* One open file description (or mapped file, directory, ...) that has its id already. */
struct description {
	struct description_key key;
	uint32_t id;
	pid_t pid;		/* a process that has it, and as which descriptor: what kcmp(2) compares with */
	int fd;
	uint32_t below[2];	/* in a tree of those in the same box, by their keys and the order that kcmp(2) tells: see boxes */
	bool refused;
};

/* One place of a description in a process. */
struct place {
	int fd;			/* or one of these: */
	uint32_t id;
	int8_t cloexec;		/* 0 or 1; -1: to be asked of the process, see tree/cloexec.h */
	bool locked;
};
enum { PLACE_EXE = -2, PLACE_CWD = -3, PLACE_ROOT = -4 };

/* A pipe or an unlinked inode that descriptions are openings of. */
struct carrier {
	uint32_t id;
	uint64_t dev, ino;
};

struct address_range {
	uint64_t start, end;
};

/* The variable that a program's C library has all thread IDs cleared in, see tree/tid_address.c. */
struct tid_variable {
	uint64_t started_dev, started_ino;	/* the file that was started for it last */
	bool known;
	uint64_t dev, ino, len;		/* the file that it is in, and the length of its first mapping */
	uint64_t offset;		/* from the start of that */
};

/* madvise(2) that restore has to put off until the last fork. */
struct late_advice {
	pid_t pid;
	uint64_t start, end;
	uint32_t advice;
};

struct save {
	const struct save_options *options;
	struct tree tree;
	struct image_writer image;
	struct image_totals totals;

	unsigned int obstacles;		/* so many things stand in the way; each was named */
	char namespaces[10][40];	/* those that the tree must have, as links, "": none; read once */
	bool checking;			/* `check`: obstacles are the result, not an error */
	struct buffer *named;		/* `check`: their texts go there, each ended by a NUL; NULL: they are said */
	struct buffer *resources;	/* `check`: what becomes of each descriptor, see tree/resource.h; else NULL */

	struct buffer numbers;		/* int: the descriptors of all processes, in their order */
	int highest_fd;
	uint32_t last_id;
	struct buffer descriptions;	/* struct description */
	uint32_t boxes[256];		/* by inode: one more than the index of the topmost description there; 0: none */
	struct buffer places;		/* struct place, by process */
	struct buffer carriers;		/* struct carrier */
	struct buffer busy;		/* struct address_range: taken in any process, sorted */
	struct buffer outside;		/* struct outside_pipe, see objects/outside.c */
	bool outside_known;
	bool no_packets;		/* no descriptor has O_DIRECT, see objects/pipe.c */
	struct buffer sharing[3];	/* pid_t, see tree/shared.c */
	struct buffer late;		/* struct late_advice */
	struct buffer lines;		/* struct line, see tree/lineage.c */
	struct buffer texts;		/* of vDSOs that are in the image, see tree/vdso.c */
	struct tid_variable tid_variable;
	Clocks clocks;			/* as they were when all stood still, */
	int64_t still_since;		/* and CLOCK_MONOTONIC as it was for us, */
	int64_t still_theirs;		/* and for them, if they asked the kernel */
	struct buffer unchanged;	/* files in the image, see objects/unchanged.c */
	struct buffer rung;		/* struct rung, see tree/timers.c */
	int64_t look_again;		/* at them, not before that time by our CLOCK_MONOTONIC */
	bool alarm;			/* the process at hand has an ITIMER_REAL that, as it was written, is yet to end */
	bool timers_untold;		/* by /proc/PID/timers */
	struct buffer timers;		/* struct known_timer, see tree/posix_timers.c */
	bool unsettled;			/* some of their signals could not be settled */
	struct ranges areas;		/* struct area, of the process at hand, see tree/pages.h */
	struct {			/* of its parent, which is often the next one's as well */
		pid_t pid;		/* 0: nobody's */
		int pagemap;
		struct ranges vmas;	/* struct parent_vma, see tree/memory.c */
	} parent;
	struct opened stdio[3];		/* the root's standard streams, when they may be inherited */
	void *program;			/* VISIT_PROGRAM_MAX bytes */
	struct address_range gap;	/* free in every process */
	uint64_t page_size;
};

/* Notes, or says, that something cannot be saved. */
void obstacle(struct save *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The next id; they count up from 1 in the order of the records. */
uint32_t save_next_id(struct save *s);

/* The id of the carrier with this inode; *known: it is in the image already, else the caller writes it now. */
int save_carrier(struct save *s, uint64_t dev, uint64_t ino, uint32_t *id, bool *known);

/*
 * Before each piece of much that is written, which may take long: looks, every few milliseconds, which timers of the tree have ended
 * meanwhile (tree/timers.h).  0 or a negative errno, said.
 */
int save_look(struct save *s);

/* Writes one record; a shorthand for objects. */
#define SAVE_RECORD(s, type, fields, message, body, len) \
	image_write(&(s)->image, type, RECORD_MUST_UNDERSTAND, fields, message, body, len)

#endif
