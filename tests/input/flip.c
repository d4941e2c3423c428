/* SPDX-License-Identifier: MIT */
/*
 * flip TOOL IMAGE SCRATCH bits|lengths EVERY
 *
 * bits: changes one bit in each byte of the image in turn; which of the eight takes turns. lengths: cuts the image off at
 * each length. Only every EVERYth. TOOL verifies what came out: exit status 4, nothing on standard output, and one line on
 * standard error that begins with "tinyckpt: verify: ". Prints what was not so; exits 1 if anything was not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *tool, *scratch;

/* Runs `TOOL verify SCRATCH`; the two streams go to one file each. Returns the exit status. */
static int verify(int out, int err)
{
	char *argv[] = { (char *)tool, "verify", (char *)scratch, NULL };
	posix_spawn_file_actions_t actions;
	int status = 0;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, err, 2);
	if (posix_spawn(&pid, tool, &actions, NULL, argv, environ) || waitpid(pid, &status, 0) != pid)
		return -1;
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *judge(int status, int out, int err)
{
	static char text[4096];
	ssize_t n = pread(err, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	if (status != 4)
		return "the exit status";
	if (lseek(out, 0, SEEK_END))
		return "something on standard output";
	if (strncmp(text, "tinyckpt: verify: ", 18) || strchr(text, '\n') != text + n - 1)
		return text;
	return NULL;
}

static bool damage(int fd, const unsigned char *image, long at, bool cut)
{
	unsigned char byte = image[at] ^ (unsigned char)(1 << at % 8);

	return cut ? !ftruncate(fd, at) : pwrite(fd, &byte, 1, at) == 1;
}

static bool heal(int fd, const unsigned char *image, long size, long at, bool cut)
{
	long n = cut ? size - at : 1;

	return pwrite(fd, image + at, (size_t)n, at) == n;
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
	scratch = argv[3];
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	size = read(fd, image, sizeof(image));
	close(fd);
	fd = open(scratch, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	out = memfd_create("out", 0);
	err = memfd_create("err", 0);
	if (size <= 0 || fd < 0 || out < 0 || err < 0 || write(fd, image, (size_t)size) != size)
		return 2;
	for (long at = 0; at < size; at += every, tried++) {
		const char *complaint;
		int status;

		if (ftruncate(out, 0) || ftruncate(err, 0) || lseek(out, 0, SEEK_SET) || lseek(err, 0, SEEK_SET) ||
		    !damage(fd, image, at, cut))
			return 2;
		status = verify(out, err);
		complaint = judge(status, out, err);
		if (complaint && bad++ < 10)
			printf("byte %ld bit %ld: exit status %d: %s\n", at, at % 8, status, complaint);
		if (!heal(fd, image, size, at, cut))
			return 2;
	}
	printf("%ld of %ld tried, %ld not found as they should be\n", tried, size, bad);
	return bad != 0;
}
