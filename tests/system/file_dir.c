/* SPDX-License-Identifier: MIT */
/* An open directory, half read: the rest of its entries comes, each once. */
#include "testlib.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES = 100 };

struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

static int directory;
static int seen[ENTRIES];
static int total;

/* Reads a buffer of entries; false at the end. */
static bool read_some(size_t size)
{
	char buffer[4096] __attribute__((aligned(8)));
	long length = must(syscall(SYS_getdents64, directory, buffer, size));
	int number;

	for (long at = 0; at < length; at += ((struct entry *)(buffer + at))->length)
		if (sscanf(((struct entry *)(buffer + at))->name, "entry%d", &number) == 1) {
			seen[number]++;
			total++;
		}
	return length > 0;
}

void test_setup(void)
{
	char name[32];

	must(mkdir(test_path("many"), 0755));
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof name, "many/entry%d", i);
		close(must(open(test_path(name), O_WRONLY | O_CREAT, 0644)));
	}
	directory = must(open(test_path("many"), O_RDONLY | O_DIRECTORY));
	while (total < ENTRIES / 2)
		read_some(256);
}

void test_break(void)
{
	must(lseek(directory, 0, SEEK_SET));
}

void test_check(void)
{
	expect(total < ENTRIES, "set-up: all entries were read at once");
	while (read_some(4096))
		;
	for (int i = 0; i < ENTRIES; i++)
		expect(seen[i] == 1, "entry %d was seen %d times", i, seen[i]);
}
