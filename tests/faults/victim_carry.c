/* SPDX-License-Identifier: MIT */
/*
 * A file, VICTIM.carried, whose content is to travel in the image, with locks of all three kinds: open twice and mapped, it
 * is what it was, and it is still the one that has its name.
 */
#define _GNU_SOURCE
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 200 * 1024 + 123, MAPPED = 64 * 1024 };

static char path[4096];
static int process_fd = -1, description_fd, flock_fd, flock_view; /* none is ever closed: that would end locks */
static const unsigned char *mapped;

static unsigned char byte_at(size_t i)
{
	return (unsigned char)((uint32_t)(i + 1) * 2654435761u >> 17);
}

static int lock(int fd, int command, off_t start)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 10 };

	return fcntl(fd, command, &l);
}

void carry_start(const char *heartbeat_path)
{
	static unsigned char content[BYTES];
	char name[sizeof(path) + 8];

	snprintf(path, sizeof(path), "%.*s.carried", (int)(strrchr(heartbeat_path, '.') - heartbeat_path), heartbeat_path);
	snprintf(name, sizeof(name), "%s.lock", path);
	for (size_t i = 0; i < BYTES; i++)
		content[i] = byte_at(i);
	process_fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0640);
	description_fd = open(path, O_RDWR | O_CLOEXEC);
	flock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	flock_view = open(name, O_RDONLY | O_CLOEXEC);
	if (process_fd < 0 || description_fd < 0 || flock_view < 0 || write(process_fd, content, BYTES) != BYTES)
		exit(2);
	mapped = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED, process_fd, 0);
	if (mapped == MAP_FAILED || lock(process_fd, F_SETLK, 0) || lock(description_fd, F_OFD_SETLK, 20) || flock(flock_fd, LOCK_EX))
		exit(2);
}

static void check_lock(int view, off_t start, pid_t holder)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 1 };

	if (fcntl(view, F_OFD_GETLK, &l) || l.l_type == F_UNLCK || l.l_pid != holder)
		violation("the lock at %ld is %s, of process %d instead of %d", (long)start, l.l_type == F_UNLCK ? "gone" : "there",
			  (int)l.l_pid, (int)holder);
}

void carry_check(void)
{
	static unsigned char piece[4096];
	struct stat own, named;

	if (process_fd < 0)
		return;
	if (fstat(process_fd, &own) || stat(path, &named) || own.st_ino != named.st_ino || own.st_size != BYTES)
		violation("the file of %ld bytes is not the one that has its name", (long)own.st_size);
	for (size_t at = 0; at < BYTES; at += sizeof(piece)) {
		ssize_t n = pread(at / sizeof(piece) % 2 ? process_fd : description_fd, piece, sizeof(piece), (off_t)at);

		for (ssize_t i = 0; i < n; i++)
			if (piece[i] != byte_at(at + (size_t)i))
				violation("the file has changed at %zu", at + (size_t)i);
	}
	for (size_t i = 0; i < MAPPED; i++)
		if (mapped[i] != byte_at(i))
			violation("the mapping of the file has changed at %zu", i);
	check_lock(description_fd, 0, getpid());
	check_lock(process_fd, 20, -1);
	if (!flock(flock_view, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		violation("the file's lock by flock(2) is gone");
}
