/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* musl's open(2) repeats O_CLOEXEC by fcntl(2), for kernels long gone; here it would be every other call. */
int open_file(const char *path, int flags)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_LARGEFILE);
}

int read_all(int fd, void *buffer, size_t len)
{
	size_t got;
	int err = read_upto(fd, buffer, len, &got);

	if (err)
		return err;
	return got < len ? -ENODATA : 0;
}

int read_upto(int fd, void *buffer, size_t cap, size_t *len)
{
	uint8_t *to = buffer;

	*len = 0;
	while (*len < cap) {
		ssize_t n = read(fd, to + *len, cap - *len);

		if (n == 0)
			return 0;
		if (n > 0)
			*len += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int pread_upto(int fd, void *buffer, size_t cap, uint64_t offset, size_t *len)
{
	uint8_t *to = buffer;

	*len = 0;
	while (*len < cap) {
		ssize_t n = pread(fd, to + *len, cap - *len, (off_t)(offset + *len));

		if (n == 0)
			return 0;
		if (n > 0)
			*len += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int pread_all(int fd, void *buffer, size_t len, uint64_t offset)
{
	size_t got;
	int err = pread_upto(fd, buffer, len, offset, &got);

	if (err)
		return err;
	return got < len ? -ENODATA : 0;
}

int write_all(int fd, const void *data, size_t len)
{
	struct iovec piece = { .iov_base = (void *)data, .iov_len = len };

	return writev_all(fd, &piece, 1);
}

int pwrite_all(int fd, const void *data, size_t len, uint64_t offset)
{
	const uint8_t *from = data;

	while (len) {
		ssize_t n = pwrite(fd, from, len, (off_t)offset);

		if (n == 0)
			return -ENOSPC;
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		from += n;
		len -= (size_t)n;
		offset += (size_t)n;
	}
	return 0;
}

int writev_all(int fd, struct iovec *pieces, int count)
{
	for (;;) {
		ssize_t n;

		while (count && !pieces->iov_len) {
			pieces++;
			count--;
		}
		if (!count)
			return 0;
		n = writev(fd, pieces, count);
		if (n == 0)
			return -ENOSPC;
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		for (; count && (size_t)n >= pieces->iov_len; pieces++, count--)
			n -= (ssize_t)pieces->iov_len;
		if (count) {
			pieces->iov_base = (uint8_t *)pieces->iov_base + n;
			pieces->iov_len -= (size_t)n;
		}
	}
}
