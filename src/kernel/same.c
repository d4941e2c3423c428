/* SPDX-License-Identifier: MIT */
#include "kernel/same.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"

/* Where the main thread has ended the task is another thread, which takes Linux 6.9. */
int file_borrow(pid_t tid, int fd)
{
	CLEANUP_CLOSE int task = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	if (task < 0)
		task = (int)syscall(SYS_pidfd_open, tid, 0);
	return task < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, task, fd, 0);
}

static ssize_t length_of_fdinfo(int fd)
{
	char text[2048];
	ssize_t len = proc_readf(text, sizeof(text), "/proc/self/fdinfo/%d", fd);

	return len + 1 < (ssize_t)sizeof(text) ? len : -1;	/* one more lock would not be seen */
}

/*
 * A POSIX lock belongs to the process that takes it, here to us, and is gone with us; and fdinfo shows it for the descriptors
 * of the description that it was taken by, and for no others.
 */
static int same_by_lock(int a, int b, int flags)
{
	const short type = (flags & O_ACCMODE) == O_WRONLY ? F_WRLCK : F_RDLCK;
	struct flock lock = { .l_start = INT64_MAX };
	ssize_t without = length_of_fdinfo(b), with;
	int tries = 64;

	/* as far behind as nobody has locked it */
	do {
		lock = (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = lock.l_start - 1, .l_len = 1 };
		if (fcntl(a, F_GETLK, &lock))
			return -errno;
	} while (lock.l_type != F_UNLCK && tries--);
	lock.l_type = type;
	if (fcntl(a, F_SETLK, &lock))
		return -errno;
	with = length_of_fdinfo(b);
	lock.l_type = F_UNLCK;
	fcntl(a, F_SETLK, &lock);
	return without < 0 || with < 0 ? -E2BIG : with > without;
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
	int flags, same;

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
	flags = fcntl(own_a, F_GETFL);
	if (same >= 0 || flags & O_PATH)	/* whether such a one is shared makes no difference to anybody */
		return same > 0 ? 0 : 2;
	same = same_by_lock(own_a, own_b, flags);
	return same < 0 ? same : same ? 0 : 2;
}
