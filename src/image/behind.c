/* SPDX-License-Identifier: MIT */
#include "image/behind.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { STACK_BYTES = 16 * 1024 };

enum state { FREE, GIVEN, TAKEN, READY };	/* of a place; READY: to be finished */

struct behind {
	_Atomic enum state state[BEHIND_PLACES_MAX];
	_Atomic unsigned int given;	/* lots; lot i is in place i % places */
	_Atomic bool last;
	_Atomic int err;
	unsigned int places;
	pthread_t thread;
	behind_work *work, *finish;
	void *arg;
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

static void do_part(struct behind *b, behind_work *part, unsigned int place, enum behind_who who)
{
	int err = b->err ? 0 : part(b->arg, place, who);

	if (err)
		b->err = err;
}

/* On the oldest lot that waits for it, if there is one. */
static bool work_on_one(struct behind *b, enum behind_who who)
{
	const unsigned int oldest = b->given;

	for (unsigned int i = 0; i < b->places; i++) {
		const unsigned int place = (oldest + i) % b->places;
		enum state given = GIVEN;

		if (!atomic_compare_exchange_strong(&b->state[place], &given, TAKEN))
			continue;
		do_part(b, b->work, place, who);
		b->state[place] = b->finish ? READY : FREE;
		return true;
	}
	return false;
}

/* The giver, until that lot is done: nothing was given yet that would take its place. */
static void work_until(struct behind *b, unsigned int lot)
{
	struct timespec since = { 0 };

	while (b->state[lot % b->places] != FREE) {
		if (work_on_one(b, BEHIND_GIVER))
			since.tv_sec = 0;
		else
			look_again(&since);
	}
}

static void *do_lots(void *arg)
{
	struct behind *b = arg;
	struct timespec since = { 0 };
	unsigned int next = 0;	/* to be finished */

	for (;;) {
		const unsigned int place = next % b->places;
		const bool last = b->last;

		if (b->state[place] == READY) {
			do_part(b, b->finish, place, BEHIND_THREAD);
			b->state[place] = FREE;
			next++;
		} else if (!work_on_one(b, BEHIND_THREAD)) {
			if (last)	/* and the giver works on none any more */
				return NULL;
			look_again(&since);
			continue;
		}
		since.tv_sec = 0;
	}
}

struct behind *behind_start(behind_work *work, behind_work *finish, void *arg, unsigned int places, const cpu_set_t *processors)
{
	struct behind *b = calloc(1, sizeof(*b));
	pthread_attr_t attr;
	sigset_t all, before;
	int err;

	if (!b)
		return NULL;
	b->work = work;
	b->finish = finish;
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

unsigned int behind_given(const struct behind *b)
{
	return b->given;
}

unsigned int behind_place(const struct behind *b)
{
	return b->given % b->places;
}

int behind_give(struct behind *b)
{
	const unsigned int lot = b->given;

	b->state[lot % b->places] = GIVEN;
	b->given = lot + 1;
	if (lot + 1 >= b->places)
		work_until(b, lot + 1 - b->places);
	return b->err;
}

int behind_wait_for(struct behind *b, unsigned int given)
{
	for (unsigned int lot = b->given > b->places ? b->given - b->places : 0; lot < given; lot++)
		work_until(b, lot);
	return b->err;
}

int behind_wait(struct behind *b)
{
	return b ? behind_wait_for(b, b->given) : 0;
}

void behind_stop(struct behind *b)
{
	if (!b)
		return;
	b->last = true;
	pthread_join(b->thread, NULL);
	free(b);
}
