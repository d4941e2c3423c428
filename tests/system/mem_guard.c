/* SPDX-License-Identifier: MIT */
/* Guard regions (MADV_GUARD_INSTALL, Linux 6.13) inside a mapping still guard. */
#include "testlib.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GUARD_INSTALL = 102, GUARD_REMOVE = 103, PAGES = 32 };

static size_t page;
static char *area;

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	area = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	fill_pattern(area, PAGES * page, 99);
	if (madvise(area + 4 * page, 2 * page, GUARD_INSTALL))
		test_skip("this kernel has no guard regions");
	must(madvise(area + 20 * page, page, GUARD_INSTALL));
}

void test_break(void)
{
	must(madvise(area + 5 * page, page, GUARD_REMOVE));
}

void test_check(void)
{
	int fd = must(open(test_path("scratch"), O_RDWR | O_CREAT, 0644));

	for (int i = 0; i < PAGES; i++) {
		bool guarded = i == 4 || i == 5 || i == 20;
		ssize_t copied = pwrite(fd, area + i * page, page, i * page);

		expect((copied == (ssize_t)page) == !guarded, "page %d: copying gives %zd, errno %d", i, copied, errno);
	}
	expect_pattern("before the guard", area, 4 * page, 99);
	must(madvise(area, PAGES * page, GUARD_REMOVE));
	expect_zero("behind a removed guard", area + 4 * page, 2 * page);
}
