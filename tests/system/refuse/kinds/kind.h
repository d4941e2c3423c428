/* SPDX-License-Identifier: MIT */
/* What hold.c can hold: objects that cannot be saved. */
#ifndef KIND_H
#define KIND_H

#include "testlib.h"

struct kind {
	const char *name;
	/* Makes the object. Returns its descriptor, NO_DESCRIPTOR, or -1: this machine cannot. */
	int (*make)(void);
	/* Beyond "the descriptor leads to the same inode". */
	void (*check)(int fd);
	/* Where closing the descriptor does not do. */
	void (*spoil)(void);
	/* A word of the refusal, which is to be for that reason and no other. NULL: the kernel may make it several. */
	const char *says;
};

enum { NO_DESCRIPTOR = 1 << 20 };

/* Each table ends with an entry without a name. */
extern const struct kind descriptor_kinds[], process_kinds[], setting_kinds[];

/* The process that the object is in, when it is not the test itself. */
extern pid_t kind_helper;

#endif
