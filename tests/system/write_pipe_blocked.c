/* SPDX-License-Identifier: MIT */
/* A thread blocked in write on a full pipe: nothing is lost, doubled or out of order. */
#include "waiter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ends[2];
static size_t capacity;
static const char message[] = "behind the full pipe";

static long call(struct waiter *self)
{
	(void)self;
	return write(ends[1], message, sizeof message);
}

static struct waiter waiter = {.name = "write", .call = call};

void test_setup(void)
{
	must(pipe(ends));
	capacity = must(fcntl(ends[1], F_GETPIPE_SZ));
	char *content = malloc(capacity);

	fill_pattern(content, capacity, 5);
	expect(write(ends[1], content, capacity) == (ssize_t)capacity, "set-up: the pipe did not take %zu bytes", capacity);
	free(content);
	waiter_start(&waiter);
}

void test_break(void)
{
	char byte;

	must(read(ends[0], &byte, 1));
}

void test_check(void)
{
	char *content = malloc(capacity), tail[64];
	size_t length = 0;

	waiter_expect_waiting(&waiter);
	while (length < capacity)
		length += must(read(ends[0], content + length, capacity - length));
	expect_pattern("content of the full pipe", content, capacity, 5);
	waiter_expect(&waiter, sizeof message, 0);
	ssize_t rest = must(read(ends[0], tail, sizeof tail));

	expect(rest == sizeof message && memcmp(tail, message, sizeof message) == 0, "the blocked message has %zd bytes: %.*s",
	       rest, (int)rest, tail);
}
