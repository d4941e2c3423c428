/* SPDX-License-Identifier: MIT */
/* The capacity that F_SETPIPE_SZ gave. */
#include "testlib.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int small[2], large[2];
static int small_size, large_size;

void test_setup(void)
{
	must(pipe(small));
	must(pipe2(large, O_NONBLOCK));
	small_size = must(fcntl(small[0], F_SETPIPE_SZ, sysconf(_SC_PAGESIZE)));
	large_size = must(fcntl(large[1], F_SETPIPE_SZ, 512 << 10));
	char *content = malloc(large_size);

	fill_pattern(content, large_size, 511);
	expect(write(large[1], content, large_size) == large_size, "set-up: not filled");
	free(content);
}

void test_break(void)
{
	must(fcntl(small[0], F_SETPIPE_SZ, 1 << 20));
}

void test_check(void)
{
	char *content = malloc(large_size);
	ssize_t length = 0;

	expect(fcntl(small[0], F_GETPIPE_SZ) == small_size, "the small pipe holds %d", fcntl(small[0], F_GETPIPE_SZ));
	expect(fcntl(large[0], F_GETPIPE_SZ) == large_size, "the large pipe holds %d", fcntl(large[0], F_GETPIPE_SZ));
	while (length < large_size)
		length += must(read(large[0], content + length, large_size - length));
	expect_pattern("content", content, large_size, 511);
}
