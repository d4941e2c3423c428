/* SPDX-License-Identifier: MIT */
/* Address spaces, on their way out of the image. */
#ifndef TINYCKPT_TREE_REMAP_H
#define TINYCKPT_TREE_REMAP_H

#include "job/restore.h"

/* Notes the mapping of a RECORD_VMA for the current process. */
int remap_note(struct restore *r, const struct record *rec);

/* All mappings are noted: lays the process out.  Pages may be filled in then. */
int remap_layout(struct restore *r);

/* RECORD_PAGES, RECORD_DROP, RECORD_GUARD. */
int remap_pages(struct restore *r, const struct record *rec);
int remap_runs(struct restore *r, const struct record *rec);

/*
 * No more pages come for the current process.  Those that the filler is still at have until the next process comes to this, or
 * until remap_finish(); from it no others may be made before that.
 */
int remap_end(struct restore *r);

/* The same, and all pages are there: final protection, locks, advice; the notes are forgotten. */
int remap_finish(struct restore *r);

#endif
