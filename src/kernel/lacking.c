/* SPDX-License-Identifier: MIT */
#include "kernel/lacking.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"

static const struct {
	int16_t nr;
	const char *text;
} calls[] = {
	{ SYS_set_robust_list, "set_robust_list(2) (CONFIG_FUTEX)" },
	{ SYS_rseq, "rseq(2) (CONFIG_RSEQ)" },
	{ SYS_membarrier, "membarrier(2) (CONFIG_MEMBARRIER)" },
	{ SYS_madvise, "madvise(2) (CONFIG_ADVISE_SYSCALLS)" },
	{ SYS_mseal, "mseal(2) (Linux 6.10, 64 bits)" },
	{ SYS_setitimer, "setitimer(2) (CONFIG_POSIX_TIMERS)" },
	{ SYS_timer_create, "timer_create(2) (CONFIG_POSIX_TIMERS)" },
	{ SYS_timerfd_create, "timerfd_create(2) (CONFIG_TIMERFD)" },
	{ SYS_eventfd2, "eventfd(2) (CONFIG_EVENTFD)" },
	{ SYS_memfd_create, "memfd_create(2) (CONFIG_TMPFS)" },
	{ SYS_flock, "file locks (CONFIG_FILE_LOCKING)" },
	{ SYS_ioprio_set, "I/O priorities (CONFIG_BLOCK)" },
	{ SYS_setgroups32, "users (CONFIG_MULTIUSER)" },
	{ SYS_setresgid32, "users (CONFIG_MULTIUSER)" },
	{ SYS_setresuid32, "users (CONFIG_MULTIUSER)" },
	{ SYS_capset, "capabilities (CONFIG_MULTIUSER)" },
};

const char *lacking(long nr)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].nr == nr)
			return calls[i].text;
	return NULL;
}

const char *lacking_tracers(void)
{
	char text[8];

	return proc_read("/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text)) > 0 && *text == '3'
		       ? "nobody may hold a process until the next boot (kernel.yama.ptrace_scope is 3)" : NULL;
}

const char *lacking_to_save(void)
{
	return access("/proc/self/pagemap", F_OK) ? "this kernel does not tell what its memory holds (CONFIG_PROC_PAGE_MONITOR)"
						  : lacking_tracers();
}

int fail_lacking(long nr, const char *fmt, ...)
{
	const char *call = errno == ENOSYS ? lacking(nr) : NULL;
	char what[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return call ? fail(EIMAGE, "%s: this kernel has no %s", what, call) : fail_errno("%s", what);
}
