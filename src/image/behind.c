/* SPDX-License-Identifier: MIT */
#include "image/behind.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { STACK_BYTES = 16 * 1024 };

struct behind {
	_Atomic unsigned int given, done;	/* lots, each counted by one side alone; lot i is in place i % places */
	_Atomic bool last;
	unsigned int places;
	pthread_t thread;
	behind_work *work;
	void *arg;
	int err;
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

/* Until fewer than so many lots are given and not yet done. */
static int until_fewer(struct behind *b, unsigned int lots)
{
	struct timespec since = { 0 };

	while (b->given - b->done >= lots)
		look_again(&since);
	return b->err;
}

static void *do_lots(void *arg)
{
	struct behind *b = arg;
	struct timespec since = { 0 };

	for (;;) {
		const bool last = b->last;

		if (b->given == b->done) {
			if (last)
				return NULL;
			look_again(&since);
			continue;
		}
		if (!b->err)
			b->err = b->work(b->arg, b->done % b->places);
		b->done++;
		since.tv_sec = 0;
	}
}

struct behind *behind_start(behind_work *work, void *arg, unsigned int places, const cpu_set_t *processors)
{
	struct behind *b = calloc(1, sizeof(*b));
	pthread_attr_t attr;
	sigset_t all, before;
	int err;

	if (!b)
		return NULL;
	b->work = work;
	b->arg = arg;
	b->places = places;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	/* signals are for the thread that waits for the workload's */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&b->thread, &attr, do_lots, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		free(b);
		return NULL;
	}
	/* from here: on the caller's own processor it might wait long for its first turn */
	if (processors)
		pthread_setaffinity_np(b->thread, sizeof(*processors), processors);
	return b;
}

int behind_wait(struct behind *b)
{
	return b ? until_fewer(b, 1) : 0;
}

unsigned int behind_given(const struct behind *b)
{
	return b->given;
}

int behind_wait_for(struct behind *b, unsigned int given)
{
	return until_fewer(b, b->given - given + 1);
}

unsigned int behind_place(const struct behind *b)
{
	return b->given % b->places;
}

bool behind_has_room(const struct behind *b)
{
	return b->given - b->done < b->places - 1;
}

int behind_give(struct behind *b)
{
	b->given++;
	return until_fewer(b, b->places);
}

void behind_stop(struct behind *b)
{
	if (!b)
		return;
	b->last = true;
	pthread_join(b->thread, NULL);
	free(b);
}
