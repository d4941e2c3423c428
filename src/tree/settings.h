/* SPDX-License-Identifier: MIT */
/*
 * What a thread, or its process, has set for itself by a system call and can ask for by another: one table.  Some is set again by
 * restore; the rest is refused by name where it is not as it usually is.
 */
#ifndef TINYCKPT_TREE_SETTINGS_H
#define TINYCKPT_TREE_SETTINGS_H

#include "kernel/program.h"
#include "thread.pb.h"

enum { SETTINGS_MAX = 16 };	/* Thread.setting holds as many */

/* Questions in a program of the thread ... */
struct settings_facts {
	int first;	/* operation */
	long words_at;
};

/* ... and the answers, in the order of the table: what is as usual, or not to be had here, is the usual value. */
struct settings {
	long value[SETTINGS_MAX];
};

void settings_ask(struct program *p, struct settings_facts *f);

/* The program was worked off, and read back. */
void settings_answers(struct settings *s, const struct program *p, const struct settings_facts *f);

/* Into the lists of m.  0, or -EHOLDS, said: something of it is not supported. */
int settings_save(const struct settings *s, Thread *m);

/* Are they all known, and can this machine have them?  0 or -EIMAGE, said. */
int settings_check(const Thread *m);

/* Has the thread, which is as tinyckpt is, set what differs.  m: as settings_check() found it good. */
void settings_add(struct program *p, const Thread *m);

#endif
