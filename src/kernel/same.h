/* SPDX-License-Identifier: MIT */
/* Are things of two tasks one and the same?  kcmp(2), and what stands in for it. */
#ifndef TINYCKPT_KERNEL_SAME_H
#define TINYCKPT_KERNEL_SAME_H

#include <sys/types.h>

/* Our own descriptor for what another task's leads to (pidfd_getfd(2), Linux 5.6); -1 and errno. */
int file_borrow(pid_t tid, int fd);

/*
 * Do two descriptors lead to one open file description?  0: they do; 1 and 2: an order of them, all 2 without kcmp(2); a negative
 * errno: it cannot be told.
 */
int file_order(pid_t a, int fd_a, pid_t b, int fd_b);

/* kcmp(2) of what two tasks have (KCMP_VM, ...): 0 one and the same, 1 and 2 an order; a negative errno, -ENOSYS: not here. */
int same_order(pid_t a, pid_t b, int what);

#endif
