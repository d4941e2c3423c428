/* SPDX-License-Identifier: MIT */
/* Data that is in a pipe comes out of it, once and whole; packets stay packets. */
#include "testlib.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MUCH = 50000 };

static int little[2], much[2], full[2], packets[2], given[2], empty[2];
static size_t capacity;

static void put(int fd, size_t size, uint64_t seed)
{
	char *content = malloc(size);

	fill_pattern(content, size, seed);
	expect(write(fd, content, size) == (ssize_t)size, "set-up: the pipe did not take %zu bytes", size);
	free(content);
}

static void expect_data(const char *what, int fd, size_t size, uint64_t seed)
{
	char *content = malloc(size + 1);
	size_t length = 0;
	int waiting = 0;

	must(ioctl(fd, FIONREAD, &waiting));
	expect((size_t)waiting == size, "%s: %d bytes are in the pipe instead of %zu", what, waiting, size);
	while (length < size)
		length += must(read(fd, content + length, size - length));
	expect_pattern(what, content, size, seed);
	free(content);
}

void test_setup(void)
{
	char byte;

	must(pipe(little));
	must(write(little[1], "little", 6));
	must(pipe2(much, O_NONBLOCK));
	put(much[1], MUCH, 501);
	must(pipe2(full, O_NONBLOCK | O_CLOEXEC));
	capacity = must(fcntl(full[1], F_GETPIPE_SZ));
	put(full[1], capacity, 502);
	must(pipe2(packets, O_DIRECT));
	must(write(packets[1], "first", 5));
	must(write(packets[1], "second", 6));
	must(pipe2(given, O_DIRECT));	/* whose writing end alone tells of packets, and which a child has */
	must(write(given[1], "third", 5));
	must(write(given[1], "fourth", 6));
	must(pipe(empty));
	if (!must(fork())) {
		close(empty[0]);
		close(empty[1]);
		for (;;)
			pause();
	}
	must(close(empty[1]));
	must(read(empty[0], &byte, 1)); /* nothing, and the child is what it is to be */
	must(close(empty[0]));
	must(close(given[1]));
	must(pipe2(empty, O_NONBLOCK));
}

void test_break(void)
{
	char byte;

	must(read(much[0], &byte, 1));
}

void test_check(void)
{
	char text[64] = "";

	expect(read(little[0], text, 64) == 6 && memcmp(text, "little", 6) == 0, "little: \"%s\"", text);
	expect(write(full[1], text, 1) == -1 && errno == EAGAIN, "the full pipe has room");
	expect_data("much", much[0], MUCH, 501);
	expect_data("full", full[0], capacity, 502);
	expect(read(much[0], text, 1) == -1 && errno == EAGAIN, "more in the pipe than was put in");
	expect(read(packets[0], text, 64) == 5 && memcmp(text, "first", 5) == 0, "the first packet is not \"first\"");
	expect(read(packets[0], text, 64) == 6 && memcmp(text, "second", 6) == 0, "the second packet is not \"second\"");
	expect(read(given[0], text, 64) == 5 && memcmp(text, "third", 5) == 0, "the third packet is not \"third\"");
	expect(read(given[0], text, 64) == 6 && memcmp(text, "fourth", 6) == 0, "the fourth packet is not \"fourth\"");
	expect(read(empty[0], text, 1) == -1 && errno == EAGAIN, "the empty pipe is not empty");
	must(write(empty[1], "new", 3));
	expect(read(empty[0], text, 64) == 3, "the empty pipe takes nothing");
}
