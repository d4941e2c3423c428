/* SPDX-License-Identifier: MIT */
/* What /proc says of a task (Documentation/filesystems/proc.rst).  All of it is hostile text. */
#ifndef TINYCKPT_KERNEL_PROCFS_H
#define TINYCKPT_KERNEL_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buffer.h"

enum { COMM_LEN = 16 };

/* Whether /proc is there, and its numbers are those that this process knows the others by.  0 or a negative errno, said. */
int proc_check(void);

/* /proc/PID/stat */
struct proc_stat {
	char comm[64];
	char state;
	pid_t ppid, pgrp, session;
	int tty_nr;
	int exit_signal;
	uint64_t start_code, end_code, start_stack;
	uint64_t start_data, end_data, start_brk;
	uint64_t arg_start, arg_end, env_start, env_end;
	int exit_code;
	unsigned int threads;
	uint64_t flags;	/* PF_* */
	uint64_t start_time;	/* clock ticks since the boot */
};

/* 0, or a negative errno (-ESRCH: there is no such task), silently.  tid 0: the process's own line. */
int proc_stat(pid_t pid, pid_t tid, struct proc_stat *st);

/* /proc/PID/task/TID/status */
enum { PROC_GROUPS_MAX = 64 };
struct proc_credentials {
	uint32_t uid[4], gid[4];	/* real, effective, saved, file system */
	uint32_t groups[PROC_GROUPS_MAX];
	uint32_t groups_n;
	uint32_t no_new_privs;		/* 0 or 1 */
	uint64_t cap_inh, cap_prm, cap_eff, cap_bnd, cap_amb;
};

struct proc_status {
	pid_t tracer, tgid;
	unsigned int threads;
	unsigned int umask;
	uint64_t sig_ignored, sig_caught, sig_pending, shared_pending;
	struct proc_credentials credentials;	/* without padding */
	bool groups_lost;		/* more of them than fit */
	int seccomp;
	bool locked;			/* some of its memory is (VmLck) */
	uint64_t size, data;		/* bytes, as RLIMIT_AS and RLIMIT_DATA count them */
	bool kernel_thread;
	bool shadow_stack;
};
int proc_status(pid_t pid, pid_t tid, struct proc_status *st);

/* One mapping, from /proc/PID/smaps or maps. */
struct vma {
	uint64_t start, end;
	int prot;		/* PROT_* */
	bool shared;
	uint64_t pgoff;		/* bytes */
	uint64_t dev, ino;
	bool grows_down, locked, hugetlb, dontcopy, wipeonfork, dontdump, thp, nothp, mergeable, io, noreserve, shadow_stack,
		sealed, uffd, sequential, random, bti, mte, droppable;
	bool guard;		/* it has, or had, guard regions; Linux 6.13, which had them first, does not tell */
	bool maywrite;		/* mprotect may make it writable */
	uint64_t anonymous, swapped;	/* bytes that are no file's, in memory and not */
	uint64_t shared_resident;	/* in memory, mapped by other processes too */
	bool onfault;		/* with locked: mlock2(MLOCK_ONFAULT) */
	uint64_t kernel_page;	/* bytes: huge pages of hugetlbfs are larger */
	bool unnamed;		/* it has a flag that this kernel has no name for */
	unsigned int pkey;
	char name[4096];	/* path, or [stack] and its kin; "" when anonymous */
	bool deleted;		/* the path was taken off "(deleted)" */
	char label[80];		/* of anonymous memory: the name that prctl(PR_SET_VMA) gave it, "": none */
};

/*
 * Calls each(arg, vma) for every mapping in order; smaps: with flags and sizes (slower).  vma lives for the call only.
 * Stops at each's first non-zero value and returns it.  0, or a negative errno, silently.
 */
int proc_vmas(pid_t pid, bool smaps, int (*each)(void *arg, struct vma *vma), void *arg);

/* The kernel's own mappings, of which every process has one somewhere: restore's process brings its own. */
bool vma_is_kernels_own(const struct vma *v);

/* Those that are at the same address in all. */
bool vma_is_everywhere(const struct vma *v);

/* Calls each(arg, number) for every numeric entry of the directory in the kernel's order, "." and ".." left out. */
int proc_numbers(const char *directory, int (*each)(void *arg, int number), void *arg);

/* Calls each(arg, pid) for every child of pid, zombies included. */
int proc_children(pid_t pid, int (*each)(void *arg, int child), void *arg);

/* The same for the children of one thread; -ENOENT: the kernel does not tell (CONFIG_PROC_CHILDREN), or not of so many. */
int proc_thread_children(pid_t pid, pid_t tid, int (*each)(void *arg, int child), void *arg);

/* /proc/PID/fdinfo/FD */
struct proc_fdinfo {
	uint64_t pos;
	unsigned int flags;	/* O_*, O_CLOEXEC included */
	unsigned int mnt_id;
	bool locked;		/* holds a POSIX, OFD, flock lock or a lease */
	char lock[80];		/* the first of them as the kernel prints it */
};
int proc_fdinfo(pid_t pid, int fd, struct proc_fdinfo *info);

/* From what was opened before: what the descriptor of that number leads to now.  -EBADF: nowhere. */
int proc_fdinfo_again(int opened, struct proc_fdinfo *info);

/* Reads a small file whole; text is terminated.  Returns its length or a negative errno. */
ssize_t proc_read(const char *path, char *text, size_t cap);
/* Appends all of a file that may be long, and a NUL.  0 or a negative errno. */
int proc_read_all(const char *path, struct buffer *text);
ssize_t proc_readf(char *text, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* open(2) (close-on-exec), fstatat(2) and readlink(2) by a path in /proc; -1 and errno as those have them. */
int proc_open(const char *path, int flags);

/* From now on paths that these functions are given lead into the /proc that fd is the root of, which they keep. */
void proc_use(int fd);

int proc_lookup(const char *path, int flags, struct stat *st);
ssize_t proc_readlink(const char *path, char *to, size_t cap);	/* ends the text by a NUL; ENAMETOOLONG: it does not fit */

/* Target of a symbolic link in /proc: length or a negative errno; -ENAMETOOLONG when it does not fit. */
ssize_t proc_link(char *to, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
