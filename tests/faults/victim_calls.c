/* SPDX-License-Identifier: MIT */
/*
 * Threads that sit in system calls. Quiet ones get no signal at all: a call of theirs that answers EINTR, or comes back
 * before its time, was disturbed by someone else. Noisy ones accept EINTR only when a handler of their own has run.
 */
#define _GNU_SOURCE
#include "victim.h"
#include "victim_arch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_clock_nanosleep /* a C library whose time_t is longer than the words of this call */
#define SYS_clock_nanosleep SYS_clock_nanosleep_time32
#endif

/* The time of these calls, as the kernel has it: words. */
struct time {
	long sec, nsec;
};

static int ping[2], pong[2], empty[2];

void calls_start(void)
{
	if (pipe(ping) || pipe(pong) || pipe(empty))
		violation("pipe: %s", strerror(errno));
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct time until(int64_t start, int64_t later)
{
	return (struct time){ (long)((start + later) / 1000000000), (long)((start + later) % 1000000000) };
}

/* A system call with everything pinned around it. */
static long call(struct worker *w, long number, const long *argument, int arguments)
{
	long result;
	const char *why = arch_pinned_syscall(w->rounds * 7 + (uint64_t)w->tid, number, argument, arguments, &result);

	if (why)
		violation("across system call %ld (result %ld): %s", number, result, why);
	return result;
}

#define CALL(w, number, ...)                                                                                           \
	call(w, number, (const long[]){ __VA_ARGS__ }, (int)(sizeof((const long[]){ __VA_ARGS__ }) / sizeof(long)))

/* A wait that had `asked` nanoseconds to go must have answered `want`, and not before its time. */
static void check_wait(const char *what, long result, long want, int64_t asked, int64_t start)
{
	int64_t took = now() - start;

	if (result != want)
		violation("%s returned %ld (%s) after %" PRId64 " of %" PRId64 " us", what, result,
			  result < 0 ? strerror((int)-result) : "no error", took / 1000, asked / 1000);
	if (took < asked)
		violation("%s returned after %" PRId64 " us, %" PRId64 " were asked for", what, took / 1000, asked / 1000);
}

void round_sleep(struct worker *w)
{
	int64_t asked = slow * (1000000 + (int64_t)(w->rounds % 5) * 500000), start = now();
	struct time t = until(0, asked), left;

	if (w->rounds % 3) {
		check_wait("nanosleep", CALL(w, SYS_nanosleep, (long)&t, (long)&left), 0, asked, start);
	} else {
		t = until(start, asked);
		check_wait("clock_nanosleep", CALL(w, SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, (long)&t, 0), 0,
			   asked, start);
	}
}

void round_poll(struct worker *w)
{
	struct pollfd never = { .fd = empty[0], .events = POLLIN };
	int64_t asked = slow * 2000000, start = now();

	if (w->rounds % 3 == 0) {
#ifdef SYS_poll
		check_wait("poll", CALL(w, SYS_poll, (long)&never, 1, asked / 1000000), 0, asked, start);
#else
		check_wait("poll", poll(&never, 1, (int)(asked / 1000000)), 0, asked, start);
#endif
	} else if (w->rounds % 3 == 1) {
		struct time t = until(0, asked);

		check_wait("ppoll", CALL(w, SYS_ppoll, (long)&never, 1, (long)&t, 0, 0), 0, asked, start);
		if (t.sec || t.nsec)
			violation("ppoll timed out but left %ld ns", t.nsec);
	} else {
		struct timeval t = { 0, asked / 1000 };
		fd_set set;

		FD_ZERO(&set);
		FD_SET(empty[0], &set);
#ifdef SYS_select
		check_wait("select", CALL(w, SYS_select, empty[0] + 1, (long)&set, 0, 0, (long)&t), 0, asked, start);
#else
		check_wait("select", select(empty[0] + 1, &set, NULL, NULL, &t) < 0 ? -errno : 0, 0, asked, start);
#endif
	}
}

void round_futex(struct worker *w)
{
	static uint32_t word = 5;
	int64_t asked = slow * 3000000, start = now();
	struct time t = until(0, asked);

	if (w->rounds % 2) {
		check_wait("futex", CALL(w, SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, 5, (long)&t, 0, 0), -ETIMEDOUT,
			   asked, start);
	} else {
		t = until(start, asked);
		check_wait("futex until",
			   CALL(w, SYS_futex, (long)&word, FUTEX_WAIT_BITSET_PRIVATE, 5, (long)&t, 0,
				(long)FUTEX_BITSET_MATCH_ANY),
			   -ETIMEDOUT, asked, start);
	}
}

static void pass(struct worker *w, long number, int fd, uint64_t *value)
{
	long n = CALL(w, number, fd, (long)value, sizeof(*value));

	if (n != sizeof(*value))
		violation("%s of a pipe returned %ld (%s)", number == SYS_read ? "read" : "write", n,
			  n < 0 ? strerror((int)-n) : "short");
}

/* Noisy, but all its handlers have SA_RESTART: the blocking read never answers EINTR. */
void round_ping(struct worker *w)
{
	uint64_t there = w->rounds * 0x10001, back = 0;

	pass(w, SYS_write, ping[1], &there);
	pass(w, SYS_read, pong[0], &back);
	if (back != ~there)
		violation("sent %#" PRIx64 " through the pipes, %#" PRIx64 " came back", there, back);
}

void round_pong(struct worker *w)
{
	struct timespec nap = { 0, 1500000 * slow };
	uint64_t value = 0;

	pass(w, SYS_read, ping[0], &value);
	if (value != w->rounds * 0x10001)
		violation("%#" PRIx64 " came through the pipe instead of %#" PRIx64, value, w->rounds * 0x10001);
	nanosleep(&nap, NULL);
	value = ~value;
	pass(w, SYS_write, pong[1], &value);
}

/* Sleeps in pieces: each EINTR needs a handler that has run, and all pieces together must be the whole. */
void round_noisy(struct worker *w)
{
	int64_t asked = slow * 4000000, start = now();
	struct time t = until(0, asked), left;

	for (;;) {
		uint64_t handled = w->handled;
		long r = CALL(w, SYS_nanosleep, (long)&t, (long)&left);

		if (r == 0)
			break;
		if (r != -EINTR)
			violation("nanosleep returned %ld", r);
		if (w->handled == handled)
			violation("nanosleep returned EINTR though no handler had run");
		/* The kernel counts its timer slack (50 us by default) into the remainder. */
		if (left.sec || left.nsec > t.nsec + 100000)
			violation("nanosleep had %ld ns to go and says that %ld are left", t.nsec, left.nsec);
		t = left;
	}
	check_wait("nanosleep in pieces", 0, 0, asked, start);
}
