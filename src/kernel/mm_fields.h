/* SPDX-License-Identifier: MIT */
/* What the kernel has noted of a process's memory (PR_SET_MM of prctl(2)). */
#ifndef TINYCKPT_KERNEL_MM_FIELDS_H
#define TINYCKPT_KERNEL_MM_FIELDS_H

#include <stdint.h>

#include "kernel/program.h"

/* As struct prctl_mm_map of linux/prctl.h begins. */
struct mm_fields {
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end;
};

enum { MM_AUXV_MAX = 1024 };	/* bytes */

/*
 * Adds operations that set all of it, the auxiliary vector (at most MM_AUXV_MAX bytes) and the program (a descriptor of the task)
 * included.
 */
void mm_fields_add(struct program *p, const struct mm_fields *fields, const void *auxv, uint32_t auxv_len, int exe);

#endif
