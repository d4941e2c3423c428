/* SPDX-License-Identifier: MIT */
/* The number that the kernel gives to whoever starts next. */
#ifndef TINYCKPT_KERNEL_PID_COUNTER_H
#define TINYCKPT_KERNEL_PID_COUNTER_H

#include <sys/types.h>

enum { PID_RESERVED = 300 };	/* lower ones are given once, not again when the kernel begins anew (RESERVED_PIDS of kernel/pid.c) */

/* The number that was given last, in this PID namespace (/proc/loadavg); 0: it is not known. */
pid_t pid_counter_last(void);

/*
 * Has the kernel go on counting behind LAST: by ns_last_pid (CONFIG_CHECKPOINT_RESTORE), else all numbers up to there are given,
 * once around where LAST lies behind: some 30 microseconds each.  Others may start meanwhile: what is given next is to be looked
 * at.  0 or a negative errno, unsaid; -ERANGE: it is reserved, and lies behind.
 */
int pid_counter_set(pid_t last);

/*
 * The same, for PID to be the next one; -EEXIST: it is taken, by a task or a process group.  Then, at once, pid_counter_back(),
 * since those that others start meanwhile are likely to be wanted, too.
 */
int pid_counter_before(pid_t pid);

/* Has it go on where it stood before that, where there is ns_last_pid. */
void pid_counter_back(void);

#endif
