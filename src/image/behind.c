/* SPDX-License-Identifier: MIT */
#include "image/behind.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { STACK_BYTES = 16 * 1024 };

struct behind {
	_Atomic unsigned int given, written;	/* lots, each counted by one side alone */
	_Atomic bool last;
	pthread_t thread;
	struct image_target *target;
	int err;
	struct iovec lots[BEHIND_LOTS][2];	/* lot i is in place i % BEHIND_LOTS */
};

/*
 * A lot takes some 50 microseconds where memory takes it, and to be woken from sleep on another processor about as long,
 * where the machine is a virtual one.  So nobody is woken: who waits looks again, for some lots' time at once and later in
 * naps.
 */
static void look_again(struct timespec *since)
{
	enum { AT_ONCE = 1000000, NAP = 200000 }; /* nanoseconds */
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!since->tv_sec)
		*since = now;
	if ((now.tv_sec - since->tv_sec) * 1000000000LL + now.tv_nsec - since->tv_nsec < AT_ONCE)
		sched_yield();
	else
		nanosleep(&(const struct timespec){ 0, NAP }, NULL);
}

/* Until fewer than so many lots are given and not yet written. */
static int until_fewer(struct behind *b, unsigned int lots)
{
	struct timespec since = { 0 };

	while (b->given - b->written >= lots)
		look_again(&since);
	return b->err;
}

static void *write_lots(void *arg)
{
	struct behind *b = arg;
	struct timespec since = { 0 };

	for (;;) {
		const bool last = b->last;

		if (b->given == b->written) {
			if (last)
				return NULL;
			look_again(&since);
			continue;
		}
		if (!b->err)
			b->err = target_write(b->target, b->lots[b->written % BEHIND_LOTS], 2);
		b->written++;
		since.tv_sec = 0;
	}
}

struct behind *behind_start(struct image_target *target)
{
	struct behind *b = calloc(1, sizeof(*b));
	pthread_attr_t attr;
	sigset_t all, before;
	int err;

	if (!b)
		return NULL;
	b->target = target;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	/* signals are for the thread that waits for the workload's */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&b->thread, &attr, write_lots, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		free(b);
		return NULL;
	}
	return b;
}

int behind_wait(struct behind *b)
{
	return b ? until_fewer(b, 1) : 0;
}

int behind_write(struct behind *b, const struct iovec pieces[2])
{
	struct iovec *lot = b->lots[b->given % BEHIND_LOTS];

	lot[0] = pieces[0];
	lot[1] = pieces[1];
	b->given++;
	return until_fewer(b, BEHIND_LOTS);
}

void behind_stop(struct behind *b)
{
	if (!b)
		return;
	b->last = true;
	pthread_join(b->thread, NULL);
	free(b);
}
