/* SPDX-License-Identifier: MIT */
/* What `check` tells of each resource of a tree: what becomes of it, and the rule that says so. */
#ifndef TINYCKPT_TREE_RESOURCE_H
#define TINYCKPT_TREE_RESOURCE_H

#include "job/save.h"
#include "objects/rules.h"

struct resource {
	uint32_t size;		/* of all of it, with the path */
	pid_t pid;
	int fd;			/* -1: a mapping, or another place without a number */
	const char *kind, *action;
	bool in_memory;		/* a file that has to be there, on a file system that a reboot empties */
	const struct rule *rule;	/* NULL: by default; else good as long as the rules */
	char what[48];		/* "fd 7" */
	char path[];
};

/* Notes a descriptor, or what else a rule is about, in s->resources.  0 or a negative errno, said. */
int resource_note(struct save *s, const struct opened *o, bool refused);

/* The next one behind R, the first one for NULL; NULL: there is none. */
const struct resource *resource_next(const struct buffer *resources, const struct resource *r);

#endif
