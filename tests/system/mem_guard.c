/* SPDX-License-Identifier: MIT */
/*
 * Guard regions (MADV_GUARD_INSTALL, Linux 6.13) still guard: filled - among pages; empty - in a mapping without any; file, shared -
 * in one of a file, and in shared memory (Linux 6.15); child - a child has made one in what it inherited; removed - or taken away.
 * arguments: filled empty file shared child removed
 */
#include "testlib.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GUARD_INSTALL = 102, GUARD_REMOVE = 103, PAGES = 32 };

static size_t page;
static char *area;
static pid_t child;

static bool plays(const char *name)
{
	return !strcmp(test_argument(), name);
}

static bool is_filled(void)
{
	return !plays("empty") && !plays("file") && !plays("shared");
}

static void expect_guarded(const char *whose, bool guards)
{
	char byte;
	int end[2];

	must(pipe(end));
	for (int i = 0; i < PAGES; i++) {
		const bool guarded = guards && (i == 4 || i == 5 || i == 20);
		const ssize_t copied = write(end[1], area + i * page, 1);

		expect((copied == 1) == !guarded, "%s page %d: copying gives %zd, errno %d", whose, i, copied, errno);
		if (copied == 1)
			must(read(end[0], &byte, 1));
	}
	close(end[0]);
	close(end[1]);
}

static int guard(int advice)
{
	return madvise(area + 4 * page, 2 * page, advice) || madvise(area + 20 * page, page, advice);
}

static void change(void *arg)
{
	(void)arg;
	must(guard(plays("child") ? GUARD_INSTALL : GUARD_REMOVE));
	test_child_ready();
	test_wait();
	expect_guarded("the child's", plays("child"));
}

/* Nothing else tells of them in what a child has inherited, or has no pages. */
static bool is_told(void)
{
	FILE *smaps = must(fopen("/proc/self/smaps", "re") ?: (void *)-1);
	char line[512];
	bool told = false;

	while (fgets(line, sizeof line, smaps))
		told |= !strncmp(line, "VmFlags:", 8) && strstr(line, " gu");
	fclose(smaps);
	return told;
}

void test_setup(void)
{
	const int flags = MAP_FIXED | (plays("shared") ? MAP_SHARED : MAP_PRIVATE) | (plays("file") ? 0 : MAP_ANONYMOUS);
	int fd = must(open(test_path("file"), O_RDWR | O_CREAT, 0644));

	page = sysconf(_SC_PAGESIZE);
	must(ftruncate(fd, PAGES * page));
	/* not to become one with what is beside it */
	area = must(mmap(NULL, (PAGES + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	area = must(mmap(area + page, PAGES * page, PROT_READ | PROT_WRITE, flags, plays("file") ? fd : -1, 0));
	close(fd);
	if (is_filled())
		fill_pattern(area, PAGES * page, 99);
	if (guard(GUARD_INSTALL))
		test_skip("this kernel has no guard regions there");
	if (!plays("filled") && !is_told())
		test_skip("this kernel does not tell of guard regions there");
	if (plays("child"))
		must(guard(GUARD_REMOVE));
	if (plays("child") || plays("removed"))
		child = test_child(change, NULL);
}

void test_break(void)
{
	must(madvise(area + 5 * page, page, plays("child") ? GUARD_INSTALL : GUARD_REMOVE));
}

void test_check(void)
{
	expect_guarded("the", !plays("child"));
	if (child)
		test_join(child);
	if (is_filled())
		expect_pattern("before the guard", area, 4 * page, 99);
	must(madvise(area, PAGES * page, GUARD_REMOVE));
	expect_guarded("the unguarded", false);
	if (!plays("file") && !plays("shared"))
		expect_zero("behind a removed guard", area + 4 * page, 2 * page);
}
