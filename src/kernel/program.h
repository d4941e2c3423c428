/* SPDX-License-Identifier: MIT */
/*
 * Building a syscall program (interpreter/interpreter.h).
 *
 * A program and the data that its calls point to are built here and lie, byte for byte, at `base` of the task: an
 * address handed out by program_data() is valid there.  Operations grow upward, data downward.
 */
#ifndef TINYCKPT_KERNEL_PROGRAM_H
#define TINYCKPT_KERNEL_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "interpreter.h"

struct program {
	uint8_t *image;		/* the caller's, size bytes, aligned to 16 */
	size_t size;
	uint64_t base;		/* where it will lie in the task */
	size_t ops;		/* operations so far */
	size_t data;		/* offset of the lowest byte of data */
	bool full;		/* something did not fit; nothing was added since */
};

void program_init(struct program *p, void *image, size_t size, uint64_t base);

/* Room for so many operations and bytes of data (each piece of data is rounded up to 16). */
bool program_fits(const struct program *p, size_t ops, size_t data);

/*
 * Adds one operation; returns its index, or -1 when it does not fit (p->full is then set).  The variadic form takes
 * the number of the call and its arguments as longs: call(p, OP_MUST, SYS_dup3, 3L, 4L, 0L).
 */
int program_op(struct program *p, unsigned long flags, long nr, const long args[6]);
#define program_call(p, flags, nr, ...) program_op(p, flags, nr, (const long[6]){ __VA_ARGS__ })

/* len bytes of data (copied from `from`, zero when NULL).  Returns the address in the task, 0 when it does not fit. */
long program_data(struct program *p, const void *from, size_t len);

/* Address in the task of operation i. */
long program_at(const struct program *p, int i);

/* Puts the program into the process, and gets it back once the task has run it.  0 or a negative errno. */
int program_send(const struct program *p, pid_t pid);
int program_fetch(struct program *p, pid_t pid);

/* Once it was fetched: the result of operation i; data by its address. */
long program_result(const struct program *p, int i);
const void *program_read(const struct program *p, long address);
struct op *program_ops(const struct program *p);

#endif
