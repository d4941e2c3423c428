/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "carried.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[4096], beside[4200], other[4200];
static unsigned char *was, *now;
static size_t length;
static struct stat then;

/* How many bytes it has; -1: there is none. One more than it had is read, no more. */
static ssize_t contents(unsigned char *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, to, length + 1);

	if (fd >= 0)
		close(fd);
	return n;
}

void carried_open(const char *stem)
{
	char *copy;

	snprintf(path, sizeof(path), "%s.carried", stem);
	if (stat(path, &then))
		return;
	length = (size_t)then.st_size;
	was = malloc(length + 1);
	now = malloc(length + 1);
	if (!was || !now || contents(was) != (ssize_t)length)
		abort();
	copy = strdup(path);
	snprintf(beside, sizeof(beside), "%s/.%s.tinyckpt", dirname(copy), strrchr(path, '/') + 1);
	snprintf(other, sizeof(other), "%s.other", path);
	free(copy);
}

static void replace(const void *content, mode_t mode, const struct timespec *mtime)
{
	const struct timespec times[2] = { *mtime, *mtime };
	int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, content, length) != (ssize_t)length || fchmod(fd, mode) || futimens(fd, times) || close(fd) ||
	    rename(other, path))
		abort();
}

/* Of the same size, so that what is half written could not be told by that. */
void carried_spoil(bool missing)
{
	const struct timespec long_ago = { 1, 0 };

	if (!was || (missing && !unlink(path)))
		return;
	memset(now, 'x', length);
	replace(now, 0600, &long_ago);
}

void carried_put_back(void)
{
	if (!carried_is_back())
		replace(was, then.st_mode & 07777, &then.st_mtim);
}

bool carried_is_back(void)
{
	struct stat st;

	return !was || (contents(now) == (ssize_t)length && !memcmp(was, now, length) && !stat(path, &st) &&
			st.st_mode == then.st_mode && st.st_mtim.tv_sec == then.st_mtim.tv_sec &&
			st.st_mtim.tv_nsec == then.st_mtim.tv_nsec);
}

static bool is_other(ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		if (now[i] != 'x')
			return false;
	return n == (ssize_t)length;
}

bool carried_seen(bool back)
{
	ssize_t n;

	if (!was)
		return true;
	if (back && !access(beside, F_OK)) {
		printf("left behind: %s\n", beside);
		return false;
	}
	if (carried_is_back())
		return true;
	n = contents(now);
	if (!back && ((n < 0 && errno == ENOENT) || is_other(n)))
		return true;
	printf("%s: %zd bytes that are %s\n", path, n, back ? "not what it had" : "neither what it had nor what was put there");
	return false;
}
