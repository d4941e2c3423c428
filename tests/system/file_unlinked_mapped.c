/* SPDX-License-Identifier: MIT */
/* Unlinked files that are mapped, with and without a descriptor: shared, private, and by two processes. */
#include "testlib.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 8 };

static size_t page;
static volatile char *shared, *private, *with_fd;
static int fd;
static pid_t child;

static void body(void *arg)
{
	(void)arg;
	test_child_ready();
	while (shared[0] != 'Q')
		test_nap(1);
	shared[1] = 'A';
}

static int make(const char *name, uint64_t seed)
{
	static char content[PAGES * 65536];
	int made = must(open(test_path(name), O_RDWR | O_CREAT, 0644));

	fill_pattern(content, PAGES * page, seed);
	must(write(made, content, PAGES * page));
	return made;
}

static volatile char *map(int of, int flags)
{
	return must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, flags, of, 0));
}

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	int made = make("shared", 401);

	shared = map(made, MAP_SHARED);
	must(unlink(test_path("shared")));
	close(made);
	made = make("private", 402);
	private = map(made, MAP_PRIVATE);
	must(unlink(test_path("private")));
	close(made);
	fill_pattern((char *)private + 2 * page, page, 403);
	fd = make("with-fd", 404);
	with_fd = map(fd, MAP_SHARED);
	must(unlink(test_path("with-fd")));
	child = test_child(body, NULL);
}

void test_break(void)
{
	with_fd = map(-1, MAP_SHARED | MAP_ANONYMOUS);
	fill_pattern((char *)with_fd, PAGES * page, 404);
}

void test_check(void)
{
	char byte = 'w';

	expect_pattern("shared mapping", (char *)shared, PAGES * page, 401);
	expect_pattern("private mapping", (char *)private, 2 * page, 402);
	expect_pattern("modified page", (char *)private + 2 * page, page, 403);
	expect_pattern("mapping with a descriptor", (char *)with_fd, PAGES * page, 404);
	must(pwrite(fd, &byte, 1, 3 * page));
	expect(with_fd[3 * page] == 'w', "mapping and descriptor are two files now");
	shared[0] = 'Q';
	test_join(child);
	expect(shared[1] == 'A', "the child maps another file");
}
