/* SPDX-License-Identifier: MIT */
/* A thousand open files, each with an offset of its own; every third is closed on exec, every seventh is appended to. */
#include "testlib.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 1000 };

static int fd[FILES];

void test_setup(void)
{
	struct rlimit limit;
	char name[32];

	must(getrlimit(RLIMIT_NOFILE, &limit));
	if (limit.rlim_cur < FILES + 10) {
		limit.rlim_cur = FILES + 100;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			test_skip("this machine allows only %lld open files", (long long)limit.rlim_max);
	}
	must(mkdir(test_path("many"), 0755));
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "many/%d", i);
		fd[i] = must(open(test_path(name), O_RDWR | O_CREAT | (i % 3 ? 0 : O_CLOEXEC) | (i % 7 ? 0 : O_APPEND), 0644));
		must(write(fd[i], &i, sizeof i));
		must(lseek(fd[i], 10 * i, SEEK_SET));
	}
}

void test_break(void)
{
	must(dup2(fd[1], fd[0]));
}

void test_check(void)
{
	for (int i = 0; i < FILES; i++) {
		int content = -1;

		must(pread(fd[i], &content, sizeof content, 0));
		expect(content == i, "descriptor %d leads to file %d", fd[i], content);
		expect(fcntl(fd[i], F_GETFD) == (i % 3 ? 0 : FD_CLOEXEC), "file %d: close-on-exec is another", i);
		expect(!(fcntl(fd[i], F_GETFL) & O_APPEND) == (i % 7 != 0), "file %d: O_APPEND is another", i);
		expect(lseek(fd[i], 0, SEEK_CUR) == 10 * i, "file %d: offset %lld", i, (long long)lseek(fd[i], 0, SEEK_CUR));
	}
}
