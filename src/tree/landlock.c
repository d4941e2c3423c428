/* SPDX-License-Identifier: MIT */
#include "tree/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/procfs.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
enum { LANDLOCK_VERSION = 1 };

/*
 * No directory gets a second name (EPERM), but Landlock would say EXDEV or EACCES.  Without CAP_FOWNER one of somebody else's may
 * be EPERM at once (protected_hardlinks); nor is a device to be made without CAP_MKNOD.  In a directory where all may write.
 */
int landlock_ask(struct program *p, const struct process *process)
{
	static const long device = 0x0105;	/* console */
	struct stat st;
	char path[32];
	long directory, name;

	snprintf(path, sizeof(path), "/proc/%d/root/tmp", process->tid);
	if (syscall(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_VERSION) < 0 || proc_lookup(path, 0, &st) || (st.st_mode & 3) != 3)
		return -1;
	directory = program_data(p, "/tmp/.", 7);
	name = program_data(p, "/tmp/.tinyckpt-landlock", 24);
	if (process->may_make_devices)
		return program_call(p, 0, SYS_linkat, AT_FDCWD, directory, AT_FDCWD, name, 0);
	return program_call(p, 0, SYS_mknodat, AT_FDCWD, name, S_IFCHR | 0600, device);
}

bool landlock_confines(const struct program *p, int asked)
{
	const long result = asked < 0 ? 0 : program_result(p, asked);

	return result == -EACCES || result == -EXDEV;
}
