/* SPDX-License-Identifier: MIT */
/* Constants of the kernel that are newer than the headers one may have to build with. */
#ifndef TINYCKPT_KERNEL_ABI_H
#define TINYCKPT_KERNEL_ABI_H

#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>	/* first: it may have as enumerators what are macros here */
#include <sys/syscall.h>

#include "arch_regs.h"

/* Linux 6.7, Documentation/admin-guide/mm/pagemap.rst */
#ifndef PAGEMAP_SCAN
struct page_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};
struct pm_scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};
#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_FILE (1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#endif
#ifndef PAGE_IS_GUARD
#define PAGE_IS_GUARD (1 << 8) /* 6.15 */
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* 6.13 */
#endif

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8 /* 6.11 */
#endif

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif
struct rseq_configuration {
	uint64_t rseq_abi_pointer;
	uint32_t rseq_abi_size;
	uint32_t signature;
	uint32_t flags;
	uint32_t pad;
};

#ifndef PTRACE_GET_SYSCALL_INFO
#define PTRACE_GET_SYSCALL_INFO 0x420e /* 5.3 */
#endif
enum { SYSCALL_INFO_ENTRY = 1 };
struct syscall_info {	/* struct ptrace_syscall_info of linux/ptrace.h, as it is at the entry of a call */
	uint8_t op;
	uint32_t arch __attribute__((aligned(4)));
	uint64_t instruction_pointer, stack_pointer;
	uint64_t nr, args[6];
};

#ifndef PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG
#define PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211 /* 6.4 */
#endif
struct syscall_user_dispatch {	/* struct ptrace_sud_config of linux/ptrace.h */
	uint64_t mode, selector, offset, len;
};

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62 /* 5.14 */
#define PR_SCHED_CORE_GET 0
#endif

/* sched_getattr(2): struct sched_attr of linux/sched/types.h */
struct sched_attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;	/* 5.3 */
};
#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif
enum { SCHED_FLAG_UTIL_CLAMP = 0x60 };

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_openat2
#define SYS_openat2 437 /* 5.6 */
#endif
#ifndef RESOLVE_IN_ROOT
#define RESOLVE_IN_ROOT 0x10
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8 /* 6.3 */
#define MFD_EXEC 0x10
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* 6.9 */
#endif
#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (1024 + 3) /* F_LINUX_SPECIFIC_BASE; 6.10 */
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* 5.11 */
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449 /* 5.16 */
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait 455 /* 6.7 */
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

/*
 * Where user and group numbers once had 16 bits, the calls for 32 bits have names of their own, as have those for a time
 * of 64 bits where it once had 32.  Elsewhere there is but one.
 */
#ifndef SYS_fcntl64
#define SYS_fcntl64 SYS_fcntl
#endif
#ifndef SYS_setresuid32
#define SYS_setgroups32 SYS_setgroups
#define SYS_setresuid32 SYS_setresuid
#define SYS_setresgid32 SYS_setresgid
#define SYS_setfsuid32 SYS_setfsuid
#define SYS_setfsgid32 SYS_setfsgid
#endif
#ifndef SYS_clock_nanosleep_time64
#define SYS_clock_nanosleep_time64 SYS_clock_nanosleep
#define SYS_rt_sigtimedwait_time64 SYS_rt_sigtimedwait
#define SYS_semtimedop_time64 SYS_semtimedop
#define SYS_futex_time64 SYS_futex
#define SYS_ppoll_time64 SYS_ppoll
#define SYS_pselect6_time64 SYS_pselect6
#define SYS_mq_timedsend_time64 SYS_mq_timedsend
#define SYS_mq_timedreceive_time64 SYS_mq_timedreceive
#define SYS_clock_gettime64 SYS_clock_gettime
#define SYS_clock_gettime32 SYS_clock_gettime
#define SYS_timer_gettime64 SYS_timer_gettime
#define SYS_timer_settime64 SYS_timer_settime
#elif !defined(SYS_clock_nanosleep)	/* a C library that has renamed it */
#define SYS_clock_nanosleep SYS_clock_nanosleep_time32
#else
#define SYS_clock_gettime32 SYS_clock_gettime
#endif

/* struct __kernel_timespec of linux/time_types.h */
struct kernel_timespec {
	int64_t sec, nsec;
};

/* struct __kernel_itimerspec */
struct kernel_itimerspec {
	struct kernel_timespec interval, value;
};

/* struct sigevent of asm-generic/siginfo.h: 64 bytes */
struct kernel_sigevent {
	unsigned long value;
	int32_t signo, notify, tid;
	char rest[64 - sizeof(long) - 3 * sizeof(int32_t)];
};

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t) /* 3.17 */
#endif
#ifndef PR_TIMER_CREATE_RESTORE_IDS
#define PR_TIMER_CREATE_RESTORE_IDS 77 /* 6.15 */
#endif
enum { TIMER_RESTORE_IDS_OFF, TIMER_RESTORE_IDS_ON, TIMER_RESTORE_IDS_GET };

/* struct __kernel_old_itimerval, of getitimer(2) and setitimer(2) */
struct kernel_itimerval {
	long interval_sec, interval_usec, sec, usec;
};

/* struct sigaction of asm-generic/signal.h; the C library's is another.  The mask is made of words. */
struct kernel_sigaction {
	unsigned long handler, flags;
#if ARCH_SA_RESTORER
	unsigned long restorer;
#endif
	uint64_t mask __attribute__((packed, aligned(sizeof(long))));
#if !ARCH_SA_RESTORER
	unsigned long restorer;	/* behind what the kernel reads and writes */
#endif
};
#define KERNEL_SA_RESTORER 0x04000000UL

/* clone3(2), Linux 5.3; set_tid since 5.5 */
struct clone3_args {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
};
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

#ifndef SYS_fsopen	/* 5.2 */
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef FSOPEN_CLOEXEC
enum { FSOPEN_CLOEXEC = 1, FSMOUNT_CLOEXEC = 1, FSCONFIG_CMD_CREATE = 6 };
#endif

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80 /* 5.6 */
#endif

#ifndef KCMP_FILE
enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM };
#endif

#endif
