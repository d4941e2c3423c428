/* SPDX-License-Identifier: MIT */
/*
 * clock_gettime(2), linked in place of the C library's, which looks for a faster way in the vDSO: 0.8 KB less.  Who asks often
 * here does nothing but wait meanwhile.
 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "kernel/abi.h"

int clock_gettime(clockid_t id, struct timespec *now)
{
	struct kernel_timespec wide;
	long narrow[2];

	if (syscall(SYS_clock_gettime64, id, &wide) == 0) {
		*now = (struct timespec){ .tv_sec = wide.sec, .tv_nsec = (long)wide.nsec };
		return 0;
	}
	/* 32 bits before Linux 5.1 */
	if (SYS_clock_gettime64 == SYS_clock_gettime32 || errno != ENOSYS || syscall(SYS_clock_gettime32, id, narrow))
		return -1;
	*now = (struct timespec){ .tv_sec = narrow[0], .tv_nsec = narrow[1] };
	return 0;
}
