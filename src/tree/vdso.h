/* SPDX-License-Identifier: MIT */
/*
 * A vDSO of another kernel (CONFIG_VDSO_PROXY).
 *
 * Where it was, ordinary memory stands in for it and for the data that it read, from the first page of those to its end:
 *
 *   first page   zeros; in its upper half struct header, and behind it a stub for each function
 *   data         zeros: to the old code, should a thread come back to it from a signal's handler, a clock that only the
 *                system call can read
 *   vDSO         as it was, but that every function begins with a jump to its stub
 *
 * A stub leads to the function of the same name in this kernel's vDSO, or makes the system call.  The kernel's own lies
 * wherever there is room, and there signals are led back by it (aarch64, riscv64): who is in a handler when the tree is saved
 * returns to that place.  So it is in the image as a spare one, for which memory stands in under yet another kernel, with the
 * old code and no stubs; and each kernel's own comes to the place that it had before, if it had one.
 */
#ifndef TINYCKPT_TREE_VDSO_H
#define TINYCKPT_TREE_VDSO_H

#include "job/restore.h"
#include "job/save.h"
#include "tree/own.h"

/* --- restore: all return 0 or a negative errno, said --- */

/* Keeps the text of a vDSO that came with the record of its mapping. */
int vdso_keep(struct restore *r, const struct mapped *v, const uint8_t *text, size_t len);

/*
 * Ordinary memory instead: replaces r->memory.own[first] and those that belong to it behind it by one mapping.  -EIMAGE: this
 * kernel cannot serve it.
 */
int vdso_stand_in(struct restore *r, size_t first);

/*
 * This kernel's own, at v and the n - 1 behind it: where other memory stood in for it at the save, for vdso_can_go_on(), as a thread
 * may stand in what is there no more.
 */
void vdso_back(struct restore *r, const struct mapped *v, size_t n);

/* All such memory of the process is there, and can be written to: fills it in. */
int vdso_fill(struct restore *r, const struct owns *o);

/* Can a thread of the process go on at pc, if that lies there, and so can those whom its handlers have interrupted? */
int vdso_can_go_on(const struct born *b, uint64_t pc, uint64_t sp);

/* Would all functions of that vDSO work here? */
int vdso_check(const uint8_t *text, size_t len);

/* --- save --- */

/*
 * Does that mapping of the process, or the first part of it, stand in for others'?  The header is the workload's own memory, but
 * it is sound.
 */
bool vdso_stands_in(const struct process *p, const struct vma *v, struct stand_in *what);

/*
 * The number that the text of a vDSO has in the image, counted from 1; *body: its length, if it has to go into the image now, with
 * the record that tells the number.
 */
int vdso_number(struct save *s, const uint8_t *text, size_t len, uint32_t *number, size_t *body);

/* Takes note of where its vDSO is, and what stands in for the one that programs call, when v is one of them. */
void vdso_see(struct process *p, const struct vma *v);

/*
 * Does a thread that is held, with those registers, stand in such code, or return there from a handler?  Under another kernel it
 * could not go on from there, and it soon is elsewhere.  The same goes for its dynamic linker: under another firmware the
 * libraries that it is about to load may be others than those that it has loaded already.
 */
bool vdso_holds(struct process *p, const struct arch_regs *regs);

/*
 * What a stand-in adds to the process's clocks, in ns; 0: nothing does.  It comes from the process's own memory, and may be
 * anything.  0 or a negative errno, said.
 */
int vdso_clock_offset(struct process *p, int64_t *monotonic, int64_t *boottime);

#endif
