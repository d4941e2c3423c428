/* SPDX-License-Identifier: MIT */
/* The memory devices, opened and mapped. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
	const char *path;
	int flags;
} devices[] = {
	{"/dev/null", O_RDWR}, {"/dev/zero", O_RDONLY}, {"/dev/full", O_RDWR}, {"/dev/random", O_RDONLY},
	{"/dev/urandom", O_RDONLY | O_CLOEXEC},
};
enum { DEVICES = sizeof devices / sizeof *devices };

static int fd[DEVICES];
static char *private, *shared;

void test_setup(void)
{
	for (int i = 0; i < DEVICES; i++)
		fd[i] = must(open(devices[i].path, devices[i].flags));
	/* Old ways to get anonymous memory. */
	private = must(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd[1], 0));
	int writable = must(open("/dev/zero", O_RDWR));

	shared = must(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, writable, 0));
	close(writable);
	fill_pattern(private, 20000, 521);
	fill_pattern(shared, 20000, 522);
}

void test_break(void)
{
	must(dup2(fd[4], fd[1]));
}

void test_check(void)
{
	char buffer[64];

	expect(read(fd[0], buffer, 64) == 0 && write(fd[0], buffer, 64) == 64, "/dev/null is not itself");
	memset(buffer, 'x', 64);
	expect(read(fd[1], buffer, 64) == 64, "/dev/zero gives nothing");
	expect_zero("/dev/zero", buffer, 64);
	expect(write(fd[2], buffer, 1) == -1 && errno == ENOSPC, "/dev/full is not full");
	for (int i = 3; i < 5; i++) {
		memset(buffer, 0, 64);
		expect(read(fd[i], buffer, 64) == 64, "%s gives nothing", devices[i].path);
		expect(memchr(buffer, 1, 64) || memcmp(buffer, buffer + 32, 32), "%s is not random", devices[i].path);
	}
	expect_pattern("private mapping of /dev/zero", private, 20000, 521);
	expect_zero("its rest", private + 20480, 65536 - 20480);
	expect_pattern("shared mapping of /dev/zero", shared, 20000, 522);
}
