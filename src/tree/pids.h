/* SPDX-License-Identifier: MIT */
/* The numbers that a tree takes back: who has them now, and that it is not tinyckpt. */
#ifndef TINYCKPT_TREE_PIDS_H
#define TINYCKPT_TREE_PIDS_H

#include "image/reader.h"
#include "job/save.h"

/* Writes the records. */
int pids_save(struct save *s);

/*
 * Decodes the record, and adds its numbers to buffers of uint32_t, which may be the same: processes, each before its threads, and
 * groups.  0 or a negative errno, said.
 */
int pids_read(struct buffer *tasks, struct buffer *groups, const struct record *rec);

/* The number from which on this kernel gives none (pid_max); 0: it does not tell. */
pid_t pids_end(void);

/* Can this kernel give all of the numbers, uint32_t?  0 or -ERANGE, said. */
int pids_possible(const struct buffer *numbers);

/* Who has the number: "process 42 (sensor)", "thread 43 of process 42 (sensor)", "the process group of ..."; false: nobody. */
bool pids_taken_by(pid_t pid, char *text, size_t cap);

#endif
