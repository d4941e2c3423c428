/* SPDX-License-Identifier: MIT */
/* The file creation mask, different in parent and child. */
#include "testlib.h"

#include <fcntl.h>
#include <sys/stat.h>

static pid_t child;

static void expect_mask(mode_t mask, const char *name)
{
	struct stat status;
	int fd = must(open(test_path(name), O_WRONLY | O_CREAT, 0666));

	must(fstat(fd, &status));
	expect((status.st_mode & 0777) == (0666 & ~mask), "%s was made with mode %o", name, status.st_mode & 0777);
	mode_t now = umask(0);

	expect(now == mask, "the mask was %o and is %o", mask, now);
}

static void body(void *arg)
{
	(void)arg;
	umask(0137);
	test_child_ready();
	test_wait();
	expect_mask(0137, "of-child");
}

void test_setup(void)
{
	umask(0071);
	child = test_child(body, NULL);
}

void test_break(void)
{
	umask(0070);
}

void test_check(void)
{
	expect_mask(0071, "of-parent");
	test_join(child);
}
