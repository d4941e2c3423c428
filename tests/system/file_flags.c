/* SPDX-License-Identifier: MIT */
/* Status flags of open files. */
#include "testlib.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const int flags[] = {
	O_RDONLY | O_NONBLOCK, O_WRONLY | O_DSYNC, O_RDWR | O_SYNC, O_RDWR | O_NOATIME, O_WRONLY | O_APPEND | O_NONBLOCK,
	O_RDONLY | O_NOFOLLOW, O_RDWR | O_DIRECT, O_RDWR | O_TRUNC | O_CREAT | O_EXCL, O_RDONLY | O_NOCTTY,
};
enum { CASES = sizeof flags / sizeof *flags };

static int fd[CASES], before[CASES];

void test_setup(void)
{
	char name[16];

	for (int i = 0; i < CASES; i++) {
		snprintf(name, sizeof name, "file%d", i);
		if (!(flags[i] & O_EXCL))
			close(must(open(test_path(name), O_WRONLY | O_CREAT, 0644)));
		fd[i] = open(test_path(name), flags[i], 0644); /* O_DIRECT is not for every file system */
		if (fd[i] < 0)
			fd[i] = must(open(test_path(name), O_RDWR));
		before[i] = must(fcntl(fd[i], F_GETFL));
	}
}

void test_break(void)
{
	must(fcntl(fd[0], F_SETFL, 0));
}

void test_check(void)
{
	for (int i = 0; i < CASES; i++)
		expect(fcntl(fd[i], F_GETFL) == before[i], "case %d: flags were 0%o and are 0%o", i, before[i], fcntl(fd[i], F_GETFL));
}
