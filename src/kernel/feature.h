/* SPDX-License-Identifier: MIT */
/* What tinyckpt wants of a kernel, and of its own rights: one table, for `check`. */
#ifndef TINYCKPT_KERNEL_FEATURE_H
#define TINYCKPT_KERNEL_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

struct kernel_option {
	const char *name;	/* as in Kconfig */
	const char *note;	/* whether it is on by itself, what it takes */
	const struct kernel_option *takes;	/* what must be on for it to be asked for, or NULL */
};

enum { NEED_SAVE = 1, NEED_RESTORE = 2 };

struct feature {
	const char *name;
	const char *use;
	unsigned int need;	/* NEED_*: not possible at all where it is lacking and nothing stands in */
	const char *lost;	/* what else goes with it, whatever stands in; or NULL */

	const char *instead;	/* what stands in, or NULL */
	int (*try_instead)(void);	/* NULL: that is always there */

	const struct kernel_option *option;	/* that brings it; NULL: none, it is always built in */
	const char *since;	/* the first Linux that has it; may be NULL for a right */
	bool right;		/* not the kernel has it, but who runs tinyckpt */

	int (*try)(void);	/* NULL: `capability` is looked for */
	unsigned int capability;
};

enum { FEATURES_MAX = 64 };
enum { FEATURE_NAME_MAX = 29, FEATURE_USE_MAX = 44 };	/* letters: both stand on one line of 80 columns */

/* The nth row, NULL behind the last. */
const struct feature *feature_nth(size_t n);

/* What trying it gave, as of kernel/probe.h. */
struct found {
	int err;
	int instead;	/* the same for what stands in: 0 where err is not negative, or where nothing is to be tried */
};

struct found feature_try(const struct feature *f);

/* What of its needs is not met: NEED_*. */
unsigned int feature_prevents(const struct feature *f, const struct found *found);

#endif
