/* SPDX-License-Identifier: MIT */
#include "kernel/task_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/io.h"
#include "base/scope.h"
#include "config.h"
#include "kernel/poke.h"
#include "kernel/procfs.h"

int task_write_mem(int mem, pid_t tid, uint64_t to, const void *from, size_t len)
{
	int err = pwrite_all(mem, from, len, to);

	return IS_ON_BARE_KERNELS && err == -EIO ? poke(tid, true, (void *)(uintptr_t)from, to, len) : err;
}

static int by_mem(pid_t pid, bool write, const struct iovec *here, const struct iovec *there, size_t n)
{
	char path[32];
	CLEANUP_CLOSE int fd = -1;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = proc_open(path, write ? O_WRONLY : O_RDONLY);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; !err && i < n; i++) {
		const uintptr_t at = (uintptr_t)there[i].iov_base;

		if (write) {
			err = task_write_mem(fd, pid, at, here[i].iov_base, here[i].iov_len);
			continue;
		}
		err = pread_all(fd, here[i].iov_base, here[i].iov_len, at);
		if (IS_ON_BARE_KERNELS && err == -EIO)
			err = poke(pid, false, here[i].iov_base, at, here[i].iov_len);
	}
	return err;
}

static bool no_call;	/* a kernel without CONFIG_CROSS_MEMORY_ATTACH */

bool task_move_by_call(void)
{
	return !no_call;
}

int task_move(pid_t pid, enum task_access access, const struct iovec *here, const struct iovec *there, size_t n)
{
	const bool write = access == TASK_WRITE || access == TASK_WRITE_FORCED;
	size_t all = 0;
	ssize_t got;

	if (no_call || access == TASK_READ_FORCED || access == TASK_WRITE_FORCED)
		return by_mem(pid, write, here, there, n);
	got = write ? process_vm_writev(pid, here, n, there, n, 0) : process_vm_readv(pid, here, n, there, n, 0);
	if (got < 0) {
		no_call = errno == ENOSYS;
		return no_call ? by_mem(pid, write, here, there, n) : -errno;
	}
	for (size_t i = 0; i < n; i++)
		all += here[i].iov_len;
	return (size_t)got == all ? 0 : -EFAULT;
}

int task_read(pid_t pid, void *to, uint64_t from, size_t len)
{
	return task_move(pid, TASK_READ, &(struct iovec){ to, len }, &(struct iovec){ (void *)(uintptr_t)from, len }, 1);
}

int task_write(pid_t pid, uint64_t to, const void *from, size_t len)
{
	return task_move(pid, TASK_WRITE, &(struct iovec){ (void *)(uintptr_t)from, len },
			 &(struct iovec){ (void *)(uintptr_t)to, len }, 1);
}

int task_write_forced(pid_t pid, uint64_t to, const void *from, size_t len)
{
	return task_move(pid, TASK_WRITE_FORCED, &(struct iovec){ (void *)(uintptr_t)from, len },
			 &(struct iovec){ (void *)(uintptr_t)to, len }, 1);
}
