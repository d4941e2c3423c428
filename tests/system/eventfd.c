/* SPDX-License-Identifier: MIT */
/* Counters: what they hold, how they are read, and who shares them. */
#include "testlib.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MANY = 8 };

static const struct {
	uint64_t count;
	int flags;
} kinds[MANY] = {
	{0, 0}, {1, 0}, {5, EFD_NONBLOCK}, {UINT64_C(0xfffffffffffffffe), 0}, {0, EFD_SEMAPHORE},
	{1, EFD_SEMAPHORE | EFD_CLOEXEC}, {7, EFD_SEMAPHORE | EFD_NONBLOCK}, {UINT64_C(1) << 40, EFD_SEMAPHORE},
};
static int fds[MANY], shared, waited;
static pid_t child;
static pthread_t thread;
static volatile uint64_t woken;

static uint64_t take(int fd)
{
	uint64_t got = 0;

	must(read(fd, &got, sizeof got));
	return got;
}

static void add(int fd, uint64_t count)
{
	must(write(fd, &count, sizeof count));
}

/* Sits in read(2). */
static void *wait_for_it(void *arg)
{
	woken = take(waited);
	return arg;
}

static void body(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
	add(shared, 30);
}

void test_setup(void)
{
	for (int i = 0; i < MANY; i++) {
		fds[i] = must(eventfd(0, kinds[i].flags));
		if (kinds[i].count)
			add(fds[i], kinds[i].count);
	}
	shared = must(eventfd(3, 0));
	waited = must(eventfd(0, 0));
	child = test_child(body, NULL);
	thread = test_thread(wait_for_it, NULL);
}

void test_break(void)
{
	take(fds[6]);
}

void test_check(void)
{
	for (int i = 0; i < MANY; i++) {
		const bool semaphore = kinds[i].flags & EFD_SEMAPHORE, nonblock = kinds[i].flags & EFD_NONBLOCK;
		uint64_t count = kinds[i].count, got;

		expect(!!(fcntl(fds[i], F_GETFL) & O_NONBLOCK) == nonblock, "eventfd %d: O_NONBLOCK is another", i);
		expect(!!(fcntl(fds[i], F_GETFD) & FD_CLOEXEC) == !!(kinds[i].flags & EFD_CLOEXEC), "eventfd %d: FD_CLOEXEC is another", i);
		must(fcntl(fds[i], F_SETFL, O_NONBLOCK));
		if (!count) {
			expect(read(fds[i], &got, sizeof got) == -1 && errno == EAGAIN, "eventfd %d: it has a count", i);
			add(fds[i], count = 4);
		}
		got = take(fds[i]);
		expect(got == (semaphore ? 1 : count), "eventfd %d: %llu where %llu were", i, (unsigned long long)got,
		       (unsigned long long)count);
		for (uint64_t left = 1; semaphore && left < count && left < 10; left++)
			expect(take(fds[i]) == 1, "eventfd %d: no semaphore", i);
		expect(count >= UINT64_C(1) << 40 || (read(fds[i], &got, sizeof got) == -1 && errno == EAGAIN), "eventfd %d: too much", i);
	}
	test_join(child);
	expect(take(shared) == 33, "what the child has added is elsewhere");
	expect(!woken, "read(2) came back with %llu", (unsigned long long)woken);
	add(waited, 11);
	pthread_join(thread, NULL);
	expect(woken == 11, "read(2) came back with %llu", (unsigned long long)woken);
}
