/* SPDX-License-Identifier: MIT */
/* Tags of memory (Documentation/arch/arm64/memory-tagging-extension.rst). */
#include "arch.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

enum { PEEKMTETAGS = 33, POKEMTETAGS = 34 };

/* The kernel may move fewer than it is asked for. */
static int move(int request, pid_t tid, uint64_t at, uint8_t *tags, size_t n)
{
	while (n) {
		struct iovec iov = { tags, n };

		if (ptrace(request, tid, (void *)(uintptr_t)at, &iov))
			return -errno;
		if (!iov.iov_len)
			return -EIO;
		tags += iov.iov_len;
		n -= iov.iov_len;
		at += iov.iov_len * ARCH_TAG_BYTES;
	}
	return 0;
}

int arch_tags_read(pid_t tid, uint64_t at, uint8_t *tags, size_t n)
{
	return move(PEEKMTETAGS, tid, at, tags, n);
}

int arch_tags_write(pid_t tid, uint64_t at, uint8_t *tags, size_t n)
{
	return move(POKEMTETAGS, tid, at, tags, n);
}
