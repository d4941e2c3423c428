/* SPDX-License-Identifier: MIT */
/* Threads blocked in read and readv on an empty pipe get what is written later. */
#include "waiter.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int ends[2][2];
static char got[2][16];

static long call_read(struct waiter *self)
{
	(void)self;
	return read(ends[0][0], got[0], sizeof got[0]);
}

static long call_readv(struct waiter *self)
{
	struct iovec parts[2] = {{got[1], 3}, {got[1] + 3, 13}};

	(void)self;
	return readv(ends[1][0], parts, 2);
}

static struct waiter waiters[2] = {{.name = "read", .call = call_read}, {.name = "readv", .call = call_readv}};

void test_setup(void)
{
	for (int i = 0; i < 2; i++) {
		must(pipe(ends[i]));
		waiter_start(&waiters[i]);
	}
}

void test_break(void)
{
	must(write(ends[0][1], "early", 5));
}

void test_check(void)
{
	for (int i = 0; i < 2; i++) {
		waiter_expect_waiting(&waiters[i]);
		must(write(ends[i][1], "message", 7));
		waiter_expect(&waiters[i], 7, 0);
		expect(memcmp(got[i], "message", 7) == 0, "%s: got %.7s", waiters[i].name, got[i]);
	}
}
