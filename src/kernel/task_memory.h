/* SPDX-License-Identifier: MIT */
/* Bytes from and to another task that may be traced.  All return 0 when all came over, or a negative errno, silently. */
#ifndef TINYCKPT_KERNEL_TASK_MEMORY_H
#define TINYCKPT_KERNEL_TASK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum task_access {
	TASK_READ,
	TASK_WRITE,
	TASK_READ_FORCED,	/* even what the task itself may not read */
	TASK_WRITE_FORCED,
};

/* n pieces here (at most 128) and as many of the same lengths there. */
int task_move(pid_t pid, enum task_access access, const struct iovec *here, const struct iovec *there, size_t n);

/* By a system call, as far as is known, so that several threads may do it at once. */
bool task_move_by_call(void);

int task_read(pid_t pid, void *to, uint64_t from, size_t len);
int task_write(pid_t pid, uint64_t to, const void *from, size_t len);
int task_write_forced(pid_t pid, uint64_t to, const void *from, size_t len);

/* Forced, too, by the task's /proc/PID/mem, which is open for writing; tid: a thread of it that we hold still. */
int task_write_mem(int mem, pid_t tid, uint64_t to, const void *from, size_t len);

#endif
