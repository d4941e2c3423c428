/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own mappings in a process that is being laid out: the vDSO, the data that it reads, ARM's page of signal
 * returns.  None of them can be made, only moved.
 */
#ifndef TINYCKPT_TREE_OWN_H
#define TINYCKPT_TREE_OWN_H

#include <stdbool.h>

#include "job/restore.h"
#include "kernel/procfs.h"

struct own {
	uint64_t start, end;
	uint64_t to;		/* where it shall be; 0: nowhere */
	bool serves_others;	/* it shall serve handlers that other kernels have called, see arch_signal_page() */
	char name[24];
};

struct owns {
	struct own own[8];
	size_t n;
};

/* Takes note of one that is there.  0 or a negative errno, said, as all of these. */
int own_note(struct owns *o, const struct vma *v);

/* Finds out where each goes.  What r->memory.own wants and this kernel does not have becomes what stands in for it. */
int own_place(struct restore *r, struct owns *o);

/* Bytes of this kernel's vDSO, which is the tool's own; 0: it has none. */
size_t own_vdso_len(void);

/* Is that vDSO, which must be len bytes long, the one whose checksum a RECORD_VMA has? */
bool own_same_vdso(uint64_t len, uint32_t crc);

#endif
