/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "looks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

enum { DESCRIPTORS = 4096 };

static bool for_looking[DESCRIPTORS];
static bool opening; /* the call under way opens something without creating it */

static const long looking[] = {
	SYS_read,      SYS_pread64,  SYS_preadv,     SYS_readv,	 SYS_lseek,  SYS_getdents64, SYS_readlinkat,
	SYS_fstat,     SYS_statx,    SYS_faccessat,  SYS_fcntl,	 SYS_getpid, SYS_gettid,     SYS_process_vm_readv,
	SYS_clock_gettime, SYS_kcmp, SYS_fstatfs,    SYS_uname,	 SYS_getuid, SYS_geteuid,
	/* Waiting is looking, too: how often it takes differs from run to run. */
	SYS_waitid,    SYS_wait4,    SYS_sched_yield, SYS_nanosleep, SYS_clock_nanosleep, SYS_ppoll,
#ifdef SYS_readlink
	SYS_readlink,  SYS_stat,     SYS_lstat,	     SYS_access, SYS_poll,
#endif
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
};

static bool ptrace_looks(uint64_t request)
{
	static const uint64_t requests[] = { PTRACE_GETREGSET, PTRACE_PEEKDATA, PTRACE_PEEKTEXT, PTRACE_GETSIGINFO,
					     PTRACE_GETSIGMASK, PTRACE_PEEKSIGINFO, PTRACE_GETEVENTMSG,
					     PTRACE_GET_SYSCALL_INFO, 12 /* GETREGS where it exists */,
					     0x420f /* GET_RSEQ_CONFIGURATION */ };

	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i] == request)
			return true;
	return false;
}

bool looks_only(long number, const void *arguments)
{
	uint64_t a[6];

	memcpy(a, arguments, sizeof(a));
	opening = false;
	for (unsigned i = 0; i < sizeof(looking) / sizeof(looking[0]); i++)
		if (looking[i] == number)
			return true;
	if (number == SYS_close && a[0] < DESCRIPTORS) {
		bool looked = for_looking[a[0]];

		for_looking[a[0]] = false;
		return looked;
	}
	if (number == SYS_ptrace)
		return ptrace_looks(a[0]);
#ifdef SYS_open
	if (number == SYS_open)
		opening = !(a[1] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)));
#endif
	if (number == SYS_openat)
		opening = !(a[2] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)));
	return opening;
}

void looks_done(long result)
{
	if (opening && result >= 0 && result < DESCRIPTORS)
		for_looking[result] = true;
	opening = false;
}
