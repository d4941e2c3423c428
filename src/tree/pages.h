/* SPDX-License-Identifier: MIT */
/* What lies in the mappings, page by page, on its way into the image. */
#ifndef TINYCKPT_TREE_PAGES_H
#define TINYCKPT_TREE_PAGES_H

#include "job/save.h"

/* What is needed of a mapping once its record is written; as struct ranges wants it. */
struct area {
	uint64_t start, end;
	uint64_t pgoff;	/* of its file, in bytes */
	uint64_t anonymous : 1, inherited : 1;
	uint64_t by_mem : 1;	/* see read_pages() in pages.c */
	uint64_t tags : 1;	/* ARCH_TAGS: it may have some */
	uint64_t shared : 1;	/* it has no pages of its own, but may have guard regions */
};

/*
 * Writes the pages of the areas that s->areas has (struct area) and that are not what the file or the parent has there, in
 * Pages, Drop and Guard records.  0 or a negative errno, said.
 */
int pages_save(struct save *s, const struct process *process);

/* /proc/PID/pagemap: a descriptor or a negative errno, said. */
int pagemap_open(pid_t pid);

#endif
