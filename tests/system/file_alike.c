/* SPDX-License-Identifier: MIT */
/*
 * One file that is opened thousands of times, all of it alike: who shares an offset with whom comes back, and the kernel is not
 * asked it of every two, which would take longer than this test may.
 */
#include "testlib.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MANY = 3000, FEW = 60, SHARE = 10 /* each tenth has a copy */ };

static int count, fd[MANY], copy[MANY / SHARE];

void test_setup(void)
{
	struct rlimit limit;

	/* without kcmp(2) every two have to be asked of */
	count = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, 0, 0) ? FEW : MANY;
	must(getrlimit(RLIMIT_NOFILE, &limit));
	if (limit.rlim_cur < (rlim_t)count + count / SHARE + 100) {
		limit.rlim_cur = (rlim_t)count + count / SHARE + 100;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			test_skip("this machine allows only %lld open files", (long long)limit.rlim_max);
	}
	for (int i = 0; i < count; i++)
		fd[i] = must(open(test_path("file"), O_RDWR | O_CREAT, 0600));
	for (int i = 0; i < count / SHARE; i++)
		copy[i] = must(dup(fd[i * SHARE]));
}

void test_break(void)
{
	must(dup2(fd[1], copy[1]));
}

void test_check(void)
{
	for (int i = 0; i < count; i++)
		must(lseek(fd[i], i + 1, SEEK_SET));
	for (int i = 0; i < count; i++)
		expect(lseek(fd[i], 0, SEEK_CUR) == i + 1, "opening %d shares its offset with another", i);
	for (int i = 0; i < count / SHARE; i++)
		expect(lseek(copy[i], 0, SEEK_CUR) == i * SHARE + 1, "copy %d does not share its offset", i);
}
