/* SPDX-License-Identifier: MIT */
/* Areas that nobody may touch keep what is in them, private, shared and of a file. */
#include "testlib.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 8, KINDS = 3 };

static size_t page;
static char *area[KINDS], *empty;

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	int fd = must(open(test_path("file"), O_RDWR | O_CREAT, 0644));

	must(ftruncate(fd, PAGES * page));
	area[0] = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	area[1] = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	area[2] = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	empty = must(mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	close(fd);
	for (int i = 0; i < KINDS; i++) {
		fill_pattern(area[i], PAGES * page, 60 + i);
		must(mprotect(area[i], PAGES * page, PROT_NONE));
	}
}

void test_break(void)
{
	must(mprotect(area[1], page, PROT_READ | PROT_WRITE));
}

void test_check(void)
{
	int fd = must(open(test_path("scratch"), O_RDWR | O_CREAT, 0644));

	for (int i = 0; i < KINDS; i++) {
		expect(write(fd, area[i], 1) == -1 && errno == EFAULT, "area %d can be read", i);
		must(mprotect(area[i], PAGES * page, PROT_READ));
		expect_pattern("area without access", area[i], PAGES * page, 60 + i);
	}
	expect(write(fd, empty, 1) == -1 && errno == EFAULT, "the empty area can be read");
	must(mprotect(empty, 1 << 20, PROT_READ | PROT_WRITE));
	expect_zero("empty area", empty, 1 << 20);
}
