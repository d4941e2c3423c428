/* SPDX-License-Identifier: MIT */
/*
 * flip TOOL IMAGE SCRATCH bits|lengths EVERY
 *
 * bits: changes one bit in each byte of the image in turn; which of the eight takes turns. lengths: cuts the image off at
 * each length. Only every EVERYth. TOOL verifies what came out, many images at a time: exit status 4, nothing on standard
 * output, and of each image one line on standard error that begins with "tinyckpt: verify: " and names it. Prints what was
 * not so; exits 1 if anything was not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { BATCH = 64 };

static const char *tool;
static char scratch[BATCH][256];

/* Runs `TOOL verify` on the first so many; the two streams go to one file each. Returns the exit status. */
static int verify(int count, int out, int err)
{
	char *argv[BATCH + 3] = { (char *)tool, "verify" };
	posix_spawn_file_actions_t actions;
	int status = 0;
	pid_t pid;

	for (int i = 0; i < count; i++)
		argv[2 + i] = scratch[i];
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, err, 2);
	if (posix_spawn(&pid, tool, &actions, NULL, argv, environ) || waitpid(pid, &status, 0) != pid)
		return -1;
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The number of images that were not complained of as they should be; says which, by the bytes that were damaged. */
static long judge(int status, int count, const long *at, int out, int err)
{
	static char text[1 << 16];
	ssize_t n = pread(err, text, sizeof(text) - 1, 0);
	char *line = text;
	long bad = 0;

	text[n > 0 ? n : 0] = 0;
	if (status != 4 || lseek(out, 0, SEEK_END)) {
		printf("bytes %ld to %ld: exit status %d\n", at[0], at[count - 1], status);
		bad++;
	}
	for (int i = 0; i < count; i++) {
		char begin[320], *end = strchr(line, '\n');
		int len = snprintf(begin, sizeof(begin), "tinyckpt: verify: %s: ", scratch[i]);

		if (!end || strncmp(line, begin, (size_t)len)) {
			printf("byte %ld bit %ld: %.*s\n", at[i], at[i] % 8, end ? (int)(end - line) : 0, line);
			return bad + 1;
		}
		line = end + 1;
	}
	if (*line) {
		printf("one line too many: %s", line);
		bad++;
	}
	return bad;
}

static bool write_damaged(const char *path, const unsigned char *image, long size, long at, bool cut)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unsigned char byte = image[at] ^ (unsigned char)(1 << at % 8);
	bool done = fd >= 0 && write(fd, image, (size_t)(cut ? at : size)) == (cut ? at : size) &&
		    (cut || pwrite(fd, &byte, 1, at) == 1);

	close(fd);
	return done;
}

int main(int argc, char **argv)
{
	static unsigned char image[1 << 22];
	long size, every = argc == 6 ? atol(argv[5]) : 0, tried = 0, bad = 0;
	bool cut = argc == 6 && !strcmp(argv[4], "lengths");
	int fd, out, err;

	if (every < 1)
		return 2;
	tool = argv[1];
	for (int i = 0; i < BATCH; i++)
		snprintf(scratch[i], sizeof(scratch[i]), "%s.%d", argv[3], i);
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	size = read(fd, image, sizeof(image));
	close(fd);
	out = memfd_create("out", 0);
	err = memfd_create("err", 0);
	if (size <= 0 || out < 0 || err < 0)
		return 2;
	for (long next = 0; next < size;) {
		long at[BATCH];
		int count = 0;

		for (; count < BATCH && next < size; next += every, count++) {
			at[count] = next;
			if (!write_damaged(scratch[count], image, size, next, cut))
				return 2;
		}
		if (ftruncate(out, 0) || ftruncate(err, 0) || lseek(out, 0, SEEK_SET) || lseek(err, 0, SEEK_SET))
			return 2;
		bad += judge(verify(count, out, err), count, at, out, err);
		tried += count;
	}
	for (int i = 0; i < BATCH; i++)
		unlink(scratch[i]);
	printf("%ld of %ld tried, %ld not found as they should be\n", tried, size, bad);
	return bad != 0;
}
