/* SPDX-License-Identifier: MIT */
/*
 * Whole reads and writes: short counts and EINTR are dealt with. All return 0 or a negative errno and say nothing,
 * as the caller knows what was read or written.
 */
#ifndef TINYCKPT_BASE_IO_H
#define TINYCKPT_BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* open(2) by the path, close-on-exec; -1 and errno as it has them. */
int open_file(const char *path, int flags);

/* Exactly LEN bytes, or -ENODATA when the file ends before (what was read until then is in BUFFER). */
int read_all(int fd, void *buffer, size_t len);
int pread_all(int fd, void *buffer, size_t len, uint64_t offset);

/* All LEN bytes; a write that makes no progress is -ENOSPC. */
int write_all(int fd, const void *data, size_t len);
int pwrite_all(int fd, const void *data, size_t len, uint64_t offset);

/* As write_all for COUNT pieces in order; the array is used up. */
int writev_all(int fd, struct iovec *pieces, int count);

/* Reads up to CAP bytes until the end of the file; *LEN tells how many came. For files of /proc, which have no size. */
int read_upto(int fd, void *buffer, size_t cap, size_t *len);
int pread_upto(int fd, void *buffer, size_t cap, uint64_t offset, size_t *len);

#endif
