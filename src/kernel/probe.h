/* SPDX-License-Identifier: MIT */
/*
 * Questions to the kernel, about it and about the rights that tinyckpt runs with: each thing is tried, never derived from
 * a version, and no trace is left.  What needs a task to be tried on has a child of its own, which is gone when the
 * answer is there.  All are silent and return 0, a negative errno, or PROBE_MOOT.  kernel/feature.c tells what they are for.
 */
#ifndef TINYCKPT_KERNEL_PROBE_H
#define TINYCKPT_KERNEL_PROBE_H

enum { PROBE_MOOT = 1 };	/* this machine or kernel has nothing that it would be needed for */

int probe_proc(void);
int probe_seize(void);
int probe_regset(void);
int probe_sigmask(void);
int probe_time64(void);
int probe_siginfo(void);
int probe_forced_write(void);
int probe_memory(void);
int probe_userfaultfd(void);
int probe_smaps(void);
int probe_pagemap(void);
int probe_pagemap_scan(void);
int probe_frames(void);
int probe_guard(void);
int probe_guard_told(void);
int probe_map_files(void);
int probe_kcmp(void);
int probe_pidfd_getfd(void);
int probe_tid_address(void);
int probe_rseq(void);
int probe_children(void);
int probe_timers(void);
int probe_timer_ids(void);
int probe_ticks(void);
int probe_registrations(void);
int probe_keys(void);
int probe_set_tid(void);
int probe_time_namespace(void);
int probe_pid_namespace(void);
int probe_mm_map(void);
int probe_mm_single(void);
int probe_close_range(void);
int probe_madvise(void);
int probe_hugetlb(void);
int probe_anon_name(void);
int probe_mseal(void);
int probe_tmpfile(void);
int probe_sys_admin(void);
int probe_timer(void);
int probe_users(void);
int probe_robust_list(void);
int probe_rseq_call(void);
int probe_membarrier(void);
int probe_locks(void);
int probe_memfd(void);
int probe_posix_timer(void);
int probe_timerfd(void);
int probe_eventfd(void);
int probe_poke(void);

/* CAP_* of linux/capability.h, among the effective ones. */
int probe_capability(unsigned int capability);

#endif
