/* SPDX-License-Identifier: MIT */
#include "kernel/same.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope.h"
#include "kernel/abi.h"

/* Where the main thread has ended the task is another thread, which takes Linux 6.9. */
int file_borrow(pid_t tid, int fd)
{
	CLEANUP_CLOSE int task = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	if (task < 0)
		task = (int)syscall(SYS_pidfd_open, tid, 0);
	return task < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, task, fd, 0);
}

/*
 * By which signal events on it are told (F_SETSIG) belongs to the description, and counts only where somebody asked for signals,
 * which is refused.  Should the tool die in between it stays SIGIO, which is what comes by default.
 */
static int same_by_signal(int a, int b)
{
	const int was = fcntl(a, F_GETSIG), other = was == SIGIO ? 0 : SIGIO;
	int same;

	if (was < 0)
		return -errno;
	if (fcntl(b, F_GETSIG) != was)
		return 0;
	if (fcntl(a, F_SETSIG, other))
		return -errno;
	same = fcntl(b, F_GETSIG) == other;
	fcntl(a, F_SETSIG, was);
	return same;
}

int same_order(pid_t a, pid_t b, int what)
{
	long order = syscall(SYS_kcmp, a, b, what, 0, 0);

	return order < 0 ? -errno : (int)order;
}

int file_order(pid_t a, int fd_a, pid_t b, int fd_b)
{
	static bool no_kcmp;	/* a kernel without CONFIG_KCMP */
	CLEANUP_CLOSE int own_a = -1;
	CLEANUP_CLOSE int own_b = -1;
	int same;

	if (!no_kcmp) {
		long order = syscall(SYS_kcmp, a, b, KCMP_FILE, fd_a, fd_b);

		if (order >= 0 || errno != ENOSYS)
			return order < 0 ? -errno : order > 1 ? 2 : (int)order;
		no_kcmp = true;
	}
	own_a = file_borrow(a, fd_a);
	own_b = own_a < 0 ? -1 : file_borrow(b, fd_b);
	if (own_b < 0)
		return -errno;
	same = fcntl(own_a, F_DUPFD_QUERY, own_b);
	if (same >= 0 || fcntl(own_a, F_GETFL) & O_PATH)	/* whether such a one is shared makes no difference to anybody */
		return same > 0 ? 0 : 2;
	same = same_by_signal(own_a, own_b);
	return same < 0 ? same : same ? 0 : 2;
}
