/* SPDX-License-Identifier: MIT */
/* Duplicates share an offset and status flags; a second open of the same file has its own. */
#include "testlib.h"

#include <fcntl.h>
#include <unistd.h>

static int first, duplicate, other;

void test_setup(void)
{
	first = must(open(test_path("file"), O_RDWR | O_CREAT, 0644));
	must(write(first, "0123456789", 10));
	duplicate = must(dup(first));
	/* Nothing but its identity tells this one from the duplicate. */
	other = must(open(test_path("file"), O_RDWR));
	must(lseek(other, 10, SEEK_SET));
}

void test_break(void)
{
	must(dup2(other, duplicate));
}

void test_check(void)
{
	must(lseek(first, 3, SEEK_SET));
	expect(lseek(duplicate, 0, SEEK_CUR) == 3, "the duplicate did not follow");
	expect(lseek(other, 0, SEEK_CUR) == 10, "the other open file followed: %lld", (long long)lseek(other, 0, SEEK_CUR));
	must(fcntl(duplicate, F_SETFL, O_APPEND));
	expect(fcntl(first, F_GETFL) & O_APPEND, "status flags are not shared");
	expect(!(fcntl(other, F_GETFL) & O_APPEND), "status flags are shared with another open file");
}
