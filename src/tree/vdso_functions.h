/* SPDX-License-Identifier: MIT */
/* The functions of a vDSO, as its ELF image tells of them (vdso(7)). */
#ifndef TINYCKPT_TREE_VDSO_FUNCTIONS_H
#define TINYCKPT_TREE_VDSO_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of them. */
struct vdso_function {
	const char *name;	/* without its prefix */
	uint64_t entry, size;	/* as the symbol has it, relative to the image */
	long call;		/* what stands in for it, see arch.h; UNKNOWN: nothing does */
};

enum { UNKNOWN = -100 };

/* Does [at, at + size) lie within len bytes? */
static inline bool lies_in(size_t len, uint64_t at, uint64_t size)
{
	return at <= len && size <= len - at;
}

/*
 * Calls each() for every function, until it returns other than 0, and returns that.  In an image without such symbols nobody
 * finds any.  text is hostile.
 */
int vdso_each_function(const uint8_t *text, size_t len, int (*each)(void *arg, const struct vdso_function *f), void *arg);

#endif
