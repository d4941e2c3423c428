/* SPDX-License-Identifier: MIT */
#include "kernel/feature.h"

#include <linux/capability.h>

#include "config.h"
#include "kernel/probe.h"

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

#define ON_BY_DEFAULT "on, unless EXPERT was used to turn it off"

/* In notes names go without CONFIG_: merge_config.sh takes all that begins so for a setting. */
static const struct kernel_option
	PROC_FS = { "PROC_FS", ON_BY_DEFAULT "; and /proc must be mounted", NULL },
	PROC_MEM = { "PROC_MEM_FORCE_PTRACE", "or PROC_MEM_ALWAYS_FORCE, the default; older kernels do not ask", NULL },
	CROSS_MEMORY_ATTACH = { "CROSS_MEMORY_ATTACH", "on by default", NULL },
	USERFAULTFD = { "USERFAULTFD", "off by default", NULL },
	PROC_PAGE_MONITOR = { "PROC_PAGE_MONITOR", ON_BY_DEFAULT, &PROC_FS },
	KCMP = { "KCMP", "selected by CHECKPOINT_RESTORE, and a part of it before Linux 5.12; alone it takes EXPERT", NULL },
	CHECKPOINT_RESTORE = { "CHECKPOINT_RESTORE", "takes PROC_FS, selects KCMP and PROC_CHILDREN", &PROC_FS },
	POSIX_TIMERS = { "POSIX_TIMERS", ON_BY_DEFAULT, NULL },
	MULTIUSER = { "MULTIUSER", ON_BY_DEFAULT, NULL },
	FUTEX = { "FUTEX", ON_BY_DEFAULT, NULL },
	TIMERFD = { "TIMERFD", ON_BY_DEFAULT, NULL },
	EVENTFD = { "EVENTFD", ON_BY_DEFAULT, NULL },
	FILE_LOCKING = { "FILE_LOCKING", ON_BY_DEFAULT, NULL },
	RSEQ = { "RSEQ", ON_BY_DEFAULT, NULL },
	PROC_CHILDREN = { "PROC_CHILDREN", "takes PROC_FS; selected by CHECKPOINT_RESTORE", &PROC_FS },
	MEMBARRIER = { "MEMBARRIER", ON_BY_DEFAULT "; selected by RSEQ", NULL },
	ADVISE_SYSCALLS = { "ADVISE_SYSCALLS", ON_BY_DEFAULT, NULL },
	ANON_VMA_NAME = { "ANON_VMA_NAME", "takes PROC_FS and ADVISE_SYSCALLS", &ADVISE_SYSCALLS },
	HUGETLBFS = { "HUGETLBFS", "takes SYSFS or SYSCTL, and ARM_LPAE on 32-bit ARM", NULL },
	TIME_NS = { "TIME_NS", "takes NAMESPACES, both are " ON_BY_DEFAULT "; 32-bit ARM has it not yet", NULL },
	PID_NS = { "PID_NS", "takes NAMESPACES, both are " ON_BY_DEFAULT, NULL },
	SHMEM = { "SHMEM", ON_BY_DEFAULT, NULL },
	TMPFS = { "TMPFS", "takes SHMEM; or /tmp on another file system that has O_TMPFILE", &SHMEM };

/* Only what the tool uses is here.  In this order it is printed: what all depends on first, what root may lack last. */
static const struct feature features[] = {
	{
		.name = "/proc", .try = probe_proc, .since = "2.6", .option = &PROC_FS,
		.use = "tasks are looked at through it", .need = NEED_SAVE | NEED_RESTORE,
	}, {
		.name = "PTRACE_SEIZE", .try = probe_seize, .since = "3.4",
		.use = "threads are held still and led", .need = NEED_SAVE | NEED_RESTORE,
	}, {
		.name = "PTRACE_GETREGSET", .try = probe_regset, .since = "2.6.34",
		.use = "registers", .need = NEED_SAVE | NEED_RESTORE,
	}, {
		.name = "PTRACE_GETSIGMASK", .try = probe_sigmask, .since = "3.11",
		.use = "blocked signals", .need = NEED_SAVE | NEED_RESTORE,
	}, {
		.name = "calls with 64-bit time", .try = probe_time64, .since = "5.1",
		.use = "32-bit tasks are asked and led", .need = NEED_SAVE | NEED_RESTORE,
	}, {
		.name = "PTRACE_PEEKSIGINFO", .try = probe_siginfo, .since = "3.10",
		.use = "pending signals", .need = NEED_SAVE,
	}, {
		.name = "forced write to /proc/PID/mem", .try = probe_forced_write, .since = "2.6.39", .option = &PROC_MEM,
		.use = "the way home of a task that is visited", .need = NEED_SAVE,
		.instead = IS_ON_BARE_KERNELS ? "PTRACE_POKEDATA, word by word: slower" : NULL, .try_instead = IS_ON_BARE_KERNELS ? probe_poke : NULL,
	}, {
		.name = "process_vm_readv", .try = probe_memory, .since = "3.2", .option = &CROSS_MEMORY_ATTACH,
		.use = "memory is copied", .instead = "/proc/PID/mem, slower",
	}, {
		.name = "userfaultfd", .try = probe_userfaultfd, .since = "4.14", .option = &USERFAULTFD,
		.use = "memory is filled, with pidfd_getfd", .instead = "it is written: slower",
	}, {
		.name = "/proc/PID/smaps", .try = probe_smaps, .since = "2.6.14", .option = &PROC_PAGE_MONITOR,
		.use = "mappings and what was asked for them", .need = NEED_SAVE,
	}, {
		.name = "/proc/PID/pagemap", .try = probe_pagemap, .since = "2.6.25", .option = &PROC_PAGE_MONITOR,
		.use = "pages that hold data", .need = NEED_SAVE,
	}, {
		.name = "PAGEMAP_SCAN", .try = probe_pagemap_scan, .since = "6.7", .option = &PROC_PAGE_MONITOR,
		.use = "all of them by one call", .instead = "pagemap, read page by page: slower",
	}, {
		.name = "/proc/PID/map_files", .try = probe_map_files, .since = "4.3", .option = &PROC_FS,
		.use = "files behind mappings", .need = NEED_SAVE,
	}, {
		.name = "pidfd_getfd", .try = probe_pidfd_getfd, .since = "5.6",
		.use = "descriptors are looked at", .instead = "the links in /proc/PID/fd: slower",
		.lost = "timerfds cannot be saved, and before Linux 6.5 eventfds",
	}, {
		.name = "kcmp", .try = probe_kcmp, .since = "3.5", .option = &KCMP,
		.use = "descriptors and memory that are shared",
		.instead = "a mark in one process that a save looks for in others; for descriptors pidfd_getfd, with F_DUPFD_QUERY "
			   "(Linux 6.10) or F_SETSIG",
		.try_instead = probe_pidfd_getfd,
		.lost = "check with a PID does not see memory and tables that are shared; descriptors that look alike are "
			"refused where the main thread has ended (before 6.9)",
	}, {
		.name = "PR_GET_TID_ADDRESS", .try = probe_tid_address, .since = "3.5", .option = &CHECKPOINT_RESTORE,
		.use = "the word that is cleared when a thread ends",
		.instead = "what the C library has noted, or tells when it is started once more",
		.lost = "programs of another C library than glibc and musl may be refused",
	}, {
		.name = "PTRACE_GET_RSEQ_CONFIGURATION", .try = probe_rseq, .since = "5.13", .option = &RSEQ,
		.use = "where rseq(2) is registered",
		.instead = IS_ON_OLD_KERNELS ? "glibc's dynamic linker (2.35 or newer) tells" : NULL,
		.lost = IS_ON_OLD_KERNELS ? "static programs of glibc 2.35 or newer, and others that use rseq(2), are refused"
					  : "programs that use rseq(2) are refused: with glibc 2.35 or newer all do",
	}, {
		.name = "/proc/PID/task/TID/children", .try = probe_children, .since = "4.2", .option = &PROC_CHILDREN,
		.use = "the tree below a process", .instead = "the parent that each process in /proc names: slower",
	}, {
		.name = "timer_create", .try = probe_posix_timer, .since = "2.6", .option = &POSIX_TIMERS,
		.use = "POSIX timers are made again", .lost = "images of programs with POSIX timers cannot be restored",
	}, {
		.name = "setitimer", .try = probe_timer, .since = "2.0", .option = &POSIX_TIMERS,
		.use = "who does not stop is given up in time",
		.instead = IS_ON_BARE_KERNELS ? "the clock is looked at: slower" : NULL,
		.lost = IS_ON_BARE_KERNELS ? "images of programs with such timers cannot be restored"
					   : "what never stops is waited for, for ever",
	}, {
		.name = "/proc/PID/timers", .try = probe_timers, .since = "3.10", .option = &CHECKPOINT_RESTORE,
		.use = "POSIX timers are seen", .lost = "programs with POSIX timers are refused, by a save: check with a PID does not see them",
	}, {
		.name = "PR_TIMER_CREATE_RESTORE_IDS", .try = probe_timer_ids, .since = "6.15",
		.use = "IDs of POSIX timers are asked for",
		.instead = "as many timers as it takes to come to the ID; beyond 1048576 they are refused",
	}, {
		.name = "timerfd_create", .try = probe_timerfd, .since = "2.6.25", .option = &TIMERFD,
		.use = "timerfds are made again", .lost = "images of programs with timerfds cannot be restored",
	}, {
		.name = "TFD_IOC_SET_TICKS", .try = probe_ticks, .since = "3.17", .option = &CHECKPOINT_RESTORE,
		.use = "timerfds that have ended say so", .instead = "they are set back by so many intervals",
	}, {
		.name = "eventfd", .try = probe_eventfd, .since = "2.6.27", .option = &EVENTFD,
		.use = "eventfds are made again", .lost = "images of programs with eventfds cannot be restored",
	}, {
		.name = "set_robust_list", .try = probe_robust_list, .since = "2.6.17", .option = &FUTEX,
		.use = "robust futexes are registered again",
		.lost = "images of programs that registered some, as all of glibc's do, cannot be restored",
	}, {
		.name = "rseq", .try = probe_rseq_call, .since = "4.18", .option = &RSEQ,
		.use = "restartable sequences are registered again",
		.lost = "images of programs that registered some, as all of glibc's do from 2.35 on, cannot be restored",
	}, {
		.name = "membarrier", .try = probe_membarrier, .since = "4.3", .option = &MEMBARRIER,
		.use = "registrations are made again", .lost = "images of programs that registered for it cannot be restored",
	}, {
		.name = "membarrier registrations", .try = probe_registrations, .since = "6.3", .option = &MEMBARRIER,
		.use = "what was registered for membarrier(2)",
		.lost = "registrations for membarrier(2) are not seen, and do not come back",
	}, {
		.name = "pointer authentication keys", .try = probe_keys, .since = "5.1", .option = &CHECKPOINT_RESTORE,
		.use = "keys that pointers are signed with", .lost = "programs that sign pointers cannot be brought back",
	}, {
		.name = "PAGE_IS_GUARD", .try = probe_guard_told, .since = "6.15", .option = &PROC_PAGE_MONITOR,
		.use = "guard regions are seen", .lost = "programs with guard regions (MADV_GUARD_INSTALL) cannot be saved",
	}, {
		.name = "MADV_GUARD_INSTALL", .try = probe_guard, .since = "6.13", .option = &ADVISE_SYSCALLS,
		.use = "guard regions are made again", .lost = "images of programs with guard regions cannot be restored",
	}, {
		.name = "madvise", .try = probe_madvise, .since = "2.4", .option = &ADVISE_SYSCALLS,
		.use = "pages are dropped, advice is given again",
		.instead = IS_ON_BARE_KERNELS ? "what is to be dropped is mapped anew" : NULL,
		.lost = IS_ON_BARE_KERNELS ? "images of programs that gave advice on their memory may not be restored"
			: "images of programs that fork, or that gave advice on their memory, may not be restored",
	}, {
		.name = "MAP_HUGETLB", .try = probe_hugetlb, .since = "2.6.32", .option = &HUGETLBFS,
		.use = "huge pages are mapped again", .lost = "images of programs with huge pages cannot be restored",
	}, {
		.name = "PR_SET_VMA_ANON_NAME", .try = probe_anon_name, .since = "5.17", .option = &ANON_VMA_NAME,
		.use = "areas of memory get their names back", .lost = "names of memory areas do not come back: a warning says so",
	}, {
		.name = "mseal", .try = probe_mseal, .since = "6.10",
		.use = "mappings are sealed again", .lost = "images of programs with sealed memory cannot be restored",
	}, {
		.name = "clone3 set_tid", .try = probe_set_tid, .since = "5.5",
		.use = "processes and threads get their IDs back", .need = NEED_RESTORE,
		.instead = IS_ON_OLD_KERNELS ? "the ID is made the next one: by ns_last_pid (CHECKPOINT_RESTORE), else as many "
					       "processes start as that takes" : NULL,
	}, {
		.name = "time namespaces", .try = probe_time_namespace, .since = "5.6", .option = &TIME_NS,
		.use = "monotonic clocks go on where they stopped",
		.lost = "in system calls CLOCK_MONOTONIC and CLOCK_BOOTTIME jump by what this boot's clocks differ from the last one's, "
			"and with them deadlines that the program has for itself; what the kernel holds goes on",
	}, {
		.name = "PID namespaces", .try = probe_pid_namespace, .since = "5.2", .option = &PID_NS,
		.use = "IDs that others have, restore --pidns", .lost = "restore has no --pidns",
	}, {
		.name = "PR_SET_MM_MAP", .try = probe_mm_map, .since = "3.18", .option = &CHECKPOINT_RESTORE,
		.use = "bounds of code, heap, stack and arguments", .need = NEED_RESTORE,
		.instead = "the single calls of PR_SET_MM, which take CAP_SYS_RESOURCE", .try_instead = probe_mm_single,
	}, {
		.name = "setresuid", .try = probe_users, .since = "2.2", .option = &MULTIUSER,
		.use = "users, groups and capabilities are set",
		.lost = "images of others than root with all rights cannot be restored",
	}, {
		.name = "file locks", .try = probe_locks, .since = "2.0", .option = &FILE_LOCKING,
		.use = "locks are taken again", .lost = "images of programs that hold locks cannot be restored",
	}, {
		.name = "memfd_create", .try = probe_memfd, .since = "3.17", .option = &TMPFS,
		.use = "files that travel along lie in memory", .instead = "unlinked files beside the image, if that has a name",
	}, {
		.name = "close_range", .try = probe_close_range, .since = "5.9",
		.use = "the tool's descriptors are closed", .need = NEED_RESTORE,
		.instead = IS_ON_OLD_KERNELS ? "each of them is: slower" : NULL,
	}, {
		.name = "O_TMPFILE in /tmp", .try = probe_tmpfile, .since = "3.11", .option = &TMPFS,
		.use = "unlinked files are made again", .instead = "a file that has a name for an instant",
	},
#define RIGHT(name_, ...) { .name = #name_, .capability = name_, .right = true, __VA_ARGS__ }
	RIGHT(CAP_SYS_PTRACE, .use = "tasks of others are held",
	      .lost = "processes of other users, or with more rights than tinyckpt, cannot be saved, nor restored"),
	RIGHT(CAP_DAC_OVERRIDE, .use = "files of others are opened", .lost = "processes of other users cannot be saved"),
	RIGHT(CAP_KILL, .use = "what was saved is ended", .lost = "a save of processes of other users does not come to its end"),
	RIGHT(CAP_CHECKPOINT_RESTORE, .since = "5.9", .use = "IDs are asked for, map_files is followed",
	      .need = NEED_SAVE | NEED_RESTORE, .instead = "CAP_SYS_ADMIN", .try_instead = probe_sys_admin),
	RIGHT(CAP_SYS_ADMIN, .try = probe_frames, .use = "page frame numbers in pagemap",
	      .lost = "pages that processes share copy-on-write are stored, and come back, once for each"),
	RIGHT(CAP_SYS_CHROOT, .use = "the root directory is set", .need = NEED_RESTORE),
	RIGHT(CAP_SYS_RESOURCE, .use = "limits and oom_score_adj are set",
	      .lost = "limits cannot be raised, an oom_score_adj not lowered, where restore has less"),
	RIGHT(CAP_SETUID, .use = "users are set", .lost = "processes of other users cannot be restored"),
	RIGHT(CAP_SETGID, .use = "groups are set", .lost = "processes of other groups cannot be restored"),
	RIGHT(CAP_SETPCAP, .use = "capabilities are set",
	      .lost = "processes with other bounding sets or securebits cannot be restored"),
	RIGHT(CAP_SYS_NICE, .use = "scheduling is set",
	      .lost = "processes with real-time scheduling, or with a nice value below zero, cannot be restored"),
#undef RIGHT
};
_Static_assert(sizeof(features) / sizeof(*features) <= FEATURES_MAX, "more features than callers have room for");

const struct feature *feature_nth(size_t n)
{
	return n < sizeof(features) / sizeof(*features) ? &features[n] : NULL;
}

struct found feature_try(const struct feature *f)
{
	struct found found = { .err = f->try ? f->try() : probe_capability(f->capability) };

	if (found.err < 0 && f->try_instead)
		found.instead = f->try_instead();
	return found;
}

unsigned int feature_prevents(const struct feature *f, const struct found *found)
{
	return found->err < 0 && (!f->instead || found->instead < 0) ? f->need : 0;
}
