/* SPDX-License-Identifier: MIT */
/* Tags of memory (ARCH_TAGS), on their way into the image and out of it, page by page. */
#ifndef TINYCKPT_TREE_TAGS_H
#define TINYCKPT_TREE_TAGS_H

#include "job/restore.h"
#include "job/save.h"
#include "tree/pages.h"

/*
 * Writes the tags of pages that are there, start to end, of a process and one of its threads, which is held; all: those that
 * are zero as well.  0 or a negative errno, said.
 */
int tags_save(struct save *s, uint32_t pid, pid_t tid, uint64_t start, uint64_t end, bool all);

/* The same of a shared mapping, whichever of its pages are there. */
int tags_save_shared(struct save *s, uint32_t pid, pid_t tid, const struct area *a);

/* RECORD_TAGS: gives the current process, which is held and has the mapping, the tags of a page. */
int tags_restore(struct restore *r, const struct record *rec);

#endif
