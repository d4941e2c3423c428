/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_SAVE_H
#define TINYCKPT_SAVE_H

#include "job/save.h"

/* What check_workload() found. */
struct verdict {
	char comm[64];
	size_t processes, threads;
	struct buffer named;	/* what stands in the way: texts, each ended by a NUL; the caller frees it */
	struct buffer resources;	/* struct resource of tree/resource.h; the caller frees it */
};

/* Says what stands in the way of a save, all of it, and touches nothing.  0, -EHOLDS, or a negative errno, said. */
int check_workload(const struct save_options *options, struct verdict *verdict);

/* Saves the tree by the options.  0 or a negative error (base/error.h), said. */
int save_tree(const struct save_options *options);

#endif
