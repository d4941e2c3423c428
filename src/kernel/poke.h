/* SPDX-License-Identifier: MIT */
/*
 * A task's memory word by word (PTRACE_PEEKDATA and its kin), for kernels whose /proc/PID/mem heeds the protection of pages:
 * proc_mem.force_override=never.  ptrace(2) never does.
 */
#ifndef TINYCKPT_KERNEL_POKE_H
#define TINYCKPT_KERNEL_POKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* len bytes between `here` and `there`, in a task that we trace and that stands still.  0 or a negative errno, silently. */
int poke(pid_t tid, bool write, void *here, uint64_t there, size_t len);

#endif
