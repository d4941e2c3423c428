/* SPDX-License-Identifier: MIT */
/* Offsets of regular files: in the middle, beyond the end, beyond 4 GiB, opened for reading or writing. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int reading, writing, beyond, far;

void test_setup(void)
{
	writing = must(open(test_path("file"), O_WRONLY | O_CREAT, 0640));
	must(write(writing, "0123456789abcdef", 16));
	must(lseek(writing, 10, SEEK_SET));
	reading = must(open(test_path("file"), O_RDONLY));
	must(lseek(reading, 4, SEEK_SET));
	beyond = must(open(test_path("file"), O_RDWR));
	must(lseek(beyond, 1000, SEEK_SET));
	far = must(open(test_path("sparse"), O_RDWR | O_CREAT, 0640));
	must(lseek64(far, INT64_C(5) << 30, SEEK_SET));
	must(write(far, "far", 3));
}

void test_break(void)
{
	must(lseek(reading, 1, SEEK_CUR));
}

void test_check(void)
{
	char text[17] = "";

	expect(read(reading, text, 3) == 3 && strcmp(text, "456") == 0, "read \"%s\" instead of \"456\"", text);
	expect(write(reading, "x", 1) == -1 && errno == EBADF, "the descriptor for reading can be written to");
	must(write(writing, "ABC", 3));
	expect(read(writing, text, 1) == -1 && errno == EBADF, "the descriptor for writing can be read from");
	expect(pread(beyond, text, 16, 0) == 16 && strcmp(text, "0123456789ABCdef") == 0, "the file holds \"%s\"", text);
	expect(lseek(beyond, 0, SEEK_CUR) == 1000, "the offset beyond the end is %lld", (long long)lseek(beyond, 0, SEEK_CUR));
	expect(lseek64(far, 0, SEEK_CUR) == (INT64_C(5) << 30) + 3, "the far offset is %lld", (long long)lseek64(far, 0, SEEK_CUR));
}
