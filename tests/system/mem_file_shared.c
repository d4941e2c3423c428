/* SPDX-License-Identifier: MIT */
/* Shared file mappings: writes arrive in the file and come from it, between processes too; a mapping of a descriptor
 * opened for reading cannot be made writable. */
#include "testlib.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page;
static volatile char *area, *second, *readable;
static pid_t child;
static bool spoiled;

static void echo(void *arg)
{
	(void)arg;
	test_child_ready();
	while (area[0] != 'Q')
		test_nap(1);
	area[2 * page] = 'A';
}

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	int fd = must(open(test_path("file"), O_RDWR | O_CREAT, 0644));
	int reading = must(open(test_path("file"), O_RDONLY));

	must(ftruncate(fd, 8 * page));
	area = must(mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	second = must(mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4 * page));
	readable = must(mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, reading, 0));
	close(fd);
	close(reading);
	fill_pattern((char *)area + page, page, 31);
	fill_pattern((char *)area + 4 * page, 2 * page, 32);
	child = test_child(echo, NULL);
}

void test_break(void)
{
	must(mmap((void *)second, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	spoiled = true;
}

void test_check(void)
{
	int fd = must(open(test_path("file"), O_RDWR));
	char byte;

	expect_pattern("first mapping", (char *)area + page, page, 31);
	if (!spoiled)
		expect_pattern("second mapping", (char *)second, 2 * page, 32);
	area[0] = 'Q';
	expect(readable[0] == 'Q', "the read-only mapping does not see a write");
	test_join(child);
	must(pread(fd, &byte, 1, 2 * page));
	expect(byte == 'A', "the child's write is not in the file");
	byte = 'w';
	must(pwrite(fd, &byte, 1, 4 * page + 9));
	expect(area[4 * page + 9] == 'w' && second[9] == 'w', "a write to the file is not in the mappings");
	expect(mprotect((void *)readable, page, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
	       "a mapping of a read-only descriptor became writable");
	expect(mprotect((void *)area, page, PROT_READ) == 0 && mprotect((void *)area, page, PROT_READ | PROT_WRITE) == 0,
	       "a mapping of a read-write descriptor cannot be made writable again");
}
