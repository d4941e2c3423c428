/* SPDX-License-Identifier: MIT */
#include "kernel/timens.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/scope.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"

enum { NS_PER_S = 1000000000 };

int64_t clock_now(int id)
{
	struct timespec now = { 0 };

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int timens_offsets(pid_t pid, struct two_clocks *offsets)
{
	char text[128], *p = text;
	int64_t *const each[] = { &offsets->monotonic, &offsets->boottime };
	ssize_t len = proc_readf(text, sizeof(text), "/proc/%d/timens_offsets", pid);

	*offsets = (struct two_clocks){ 0 };
	if (len < 0)
		return len == -ENOENT ? 0 : (int)len;
	for (int i = 0; i < 2; i++) {	/* the name of the clock, seconds, and nanoseconds to be added to them */
		p += strcspn(p, " ");
		*each[i] = strtol(p, &p, 10) * (int64_t)NS_PER_S;
		*each[i] += strtol(p, &p, 10);
		p += strspn(p, "\n");
	}
	return 0;
}

int timens_machine(struct two_clocks *now, int64_t *here)
{
	struct two_clocks own;
	int64_t narrowest = INT64_MAX;
	int err = timens_offsets(getpid(), &own);

	/* One after the other, and yet of one moment, or the tree would see that they drift apart: the best of some. */
	for (int i = 0; i < 8; i++) {
		const int64_t before = clock_now(CLOCK_MONOTONIC), boottime = clock_now(CLOCK_BOOTTIME);
		const int64_t between = clock_now(CLOCK_MONOTONIC) - before;

		if (between < narrowest) {
			narrowest = between;
			*here = before + between / 2;
			*now = (struct two_clocks){ *here - own.monotonic, boottime - own.boottime };
		}
	}
	return err;
}

int timens_try(void)
{
	CLEANUP_CLOSE int own = open_file("/proc/self/ns/time", O_RDONLY);

	if (own < 0 || unshare(CLONE_NEWTIME) || setns(own, CLONE_NEWTIME))
		return -errno;
	return 0;
}

static long floor_seconds(int64_t ns)
{
	return (long)(ns / NS_PER_S - (ns % NS_PER_S < 0));
}

int timens_make(const struct two_clocks *offsets)
{
	CLEANUP_CLOSE int fd = -1;
	const long monotonic = floor_seconds(offsets->monotonic), boottime = floor_seconds(offsets->boottime);
	char text[96];
	int len = snprintf(text, sizeof(text), "%d %ld %ld\n%d %ld %ld\n", CLOCK_MONOTONIC, monotonic,
			   (long)(offsets->monotonic - monotonic * (int64_t)NS_PER_S), CLOCK_BOOTTIME, boottime,
			   (long)(offsets->boottime - boottime * (int64_t)NS_PER_S));

	if (unshare(CLONE_NEWTIME))
		return -errno;
	fd = open_file("/proc/self/timens_offsets", O_WRONLY);
	return fd < 0 ? -errno : write_all(fd, text, (size_t)len);
}
