/* SPDX-License-Identifier: MIT */
#include "kernel/pid_counter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "kernel/procfs.h"

pid_t pid_counter_last(void)
{
	char text[96];
	ssize_t len = proc_readf(text, sizeof(text), "/proc/loadavg");
	const char *word = len > 0 ? strrchr(text, ' ') : NULL;

	return word ? atoi(word) : 0;
}

static int end_at_once(void *arg)
{
	(void)arg;
	_exit(0);
}

/* One number is used up; which one it was, or a negative errno. */
static pid_t use_up(void)
{
	static char stack[4096] __attribute__((aligned(16)));
	pid_t pid = clone(end_at_once, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

	if (pid < 0)
		return -errno;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return pid;
}

static bool is_taken(pid_t pid)
{
	return !syscall(SYS_tkill, pid, 0) || errno == EPERM || !kill(-pid, 0) || errno == EPERM;
}

static int use_all_up(pid_t last)
{
	pid_t before = pid_counter_last(), pid = before;
	bool behind;

	while (last > 1 && is_taken(last))	/* it is passed over */
		last--;
	behind = before > last;
	if (behind && last < PID_RESERVED)
		return -ERANGE;
	while (pid != last && (behind || pid < last)) {
		pid = use_up();
		if (pid < 0)
			return pid;
		if (pid < before && !behind)	/* begun anew, and not there: there is none such */
			return -ERANGE;
		behind &= pid > before;
		before = pid;
	}
	return 0;
}

/* By ns_last_pid.  Where something else lies under that name, it does not move. */
static bool tell(pid_t last)
{
	CLEANUP_CLOSE int fd = open_file("/proc/sys/kernel/ns_last_pid", O_WRONLY);
	const pid_t was = pid_counter_last();
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", last);
	pid_t now;

	if (fd < 0 || write_all(fd, text, (size_t)len))
		return false;
	now = pid_counter_last();
	return now >= last && (now < was || was <= last);
}

int pid_counter_set(pid_t last)
{
	return tell(last) ? 0 : use_all_up(last);
}

static pid_t before;

int pid_counter_before(pid_t pid)
{
	if (is_taken(pid))
		return -EEXIST;
	before = pid_counter_last();
	return pid_counter_set(pid - 1);
}

void pid_counter_back(void)
{
	if (before > pid_counter_last())
		(void)tell(before);
}
