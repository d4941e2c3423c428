/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "looks.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const long looking[] = {
	SYS_read, SYS_pread64, SYS_preadv, SYS_readv, SYS_lseek, SYS_getdents64, SYS_readlinkat, SYS_fstat, SYS_statx,
	SYS_faccessat, SYS_fcntl, SYS_getpid, SYS_gettid, SYS_process_vm_readv, SYS_kcmp, SYS_fstatfs, SYS_uname, SYS_getuid,
	SYS_geteuid,
	/* Waiting is looking, too: how often it takes differs from run to run. */
	SYS_waitid, SYS_wait4, SYS_sched_yield, SYS_nanosleep, SYS_ppoll,
	/* A program's own memory and signals are nobody else's business. */
	SYS_munmap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_set_tid_address,
	/* The same by the names and in the widths that they have somewhere. */
#ifdef SYS_readlink
	SYS_readlink, SYS_stat, SYS_lstat, SYS_access, SYS_poll,
#endif
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
#ifdef SYS_arch_prctl
	SYS_arch_prctl,
#endif
#ifdef SYS_mmap
	SYS_mmap,
#endif
#ifdef SYS_mmap2
	SYS_mmap2, SYS__llseek, SYS_fstat64, SYS_stat64, SYS_lstat64, SYS_fstatat64, SYS_fstatfs64, SYS_fcntl64, SYS_getuid32,
	SYS_geteuid32,
#endif
#ifdef SYS_clock_gettime
	SYS_clock_gettime, SYS_clock_nanosleep,
#endif
#ifdef SYS_clock_gettime64
	SYS_clock_gettime64, SYS_clock_nanosleep_time64, SYS_ppoll_time64,
#endif
};

static const uint32_t looking_requests[] = {
	PTRACE_GETREGSET,   PTRACE_PEEKDATA,	PTRACE_PEEKTEXT,	 PTRACE_GETSIGINFO, PTRACE_GETSIGMASK,
	PTRACE_PEEKSIGINFO, PTRACE_GETEVENTMSG, PTRACE_GET_SYSCALL_INFO, 12 /* GETREGS where it exists */,
	0x420f /* GET_RSEQ_CONFIGURATION */,
};

/* open(2) and openat(2) that create something; the second of these is O_TMPFILE's own bit. */
static const uint32_t creating = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);

/* Closing a file that has a name changes nothing; closing a pipe or socket wakes whoever reads it. */
static bool has_a_name(pid_t pid, uint64_t fd)
{
	char path[64], target[8] = "";

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, (int)fd);
	return readlink(path, target, sizeof(target) - 1) > 0 && target[0] == '/';
}

bool looks_only(pid_t pid, long number, const void *arguments)
{
	uint64_t a[6];

	memcpy(a, arguments, sizeof(a));
	for (size_t i = 0; i < COUNT(looking); i++)
		if (looking[i] == number)
			return true;
	for (size_t i = 0; number == SYS_ptrace && i < COUNT(looking_requests); i++)
		if (looking_requests[i] == a[0])
			return true;
#ifdef SYS_open
	if (number == SYS_open)
		return !(a[1] & creating);
#endif
	if (number == SYS_openat)
		return !(a[2] & creating);
	return number == SYS_close && has_a_name(pid, a[0]);
}

/* ptrace(2) fails when the other has died, which is another test; closing, unmapping, yielding and waking do not fail. */
bool never_fails(long number)
{
	static const long calls[] = { SYS_ptrace, SYS_waitid, SYS_wait4,       SYS_close,
				      SYS_munmap, SYS_getpid, SYS_sched_yield, SYS_exit_group, SYS_futex };

	for (size_t i = 0; i < COUNT(calls); i++)
		if (calls[i] == number)
			return true;
	return false;
}

static struct sock_filter code[256];
static unsigned short length;

static void add(uint16_t op, uint32_t value, uint8_t if_true, uint8_t if_false)
{
	code[length++] = (struct sock_filter){ op, if_true, if_false, value };
}

static void load_argument(int n)
{
	add(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)n), 0, 0);
}

static void allow_if(uint32_t value)
{
	add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void open_call(long number, int flags_argument)
{
	add(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4);
	load_argument(flags_argument);
	add(BPF_JMP | BPF_JSET | BPF_K, creating, 1, 0);
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	add(BPF_RET | BPF_K, SECCOMP_RET_TRACE, 0, 0);
}

int looks_install_filter(void)
{
	struct sock_fprog program = { .filter = code };

	add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	for (size_t i = 0; i < COUNT(looking); i++)
		allow_if((uint32_t)looking[i]);
#ifdef SYS_open
	open_call(SYS_open, 1);
#endif
	open_call(SYS_openat, 2);
	add(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, (uint8_t)(1 + 2 * COUNT(looking_requests)));
	load_argument(0);
	for (size_t i = 0; i < COUNT(looking_requests); i++)
		allow_if(looking_requests[i]);
	add(BPF_RET | BPF_K, SECCOMP_RET_TRACE, 0, 0);
	program.len = length;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? -1 : 0;
}
