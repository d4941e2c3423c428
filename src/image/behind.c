/* SPDX-License-Identifier: MIT */
#include "image/behind.h"

#include <pthread.h>
#include <semaphore.h>
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
	_Atomic int asleep;	/* the thread, or about to be: wake(); no bool, riscv64 exchanges none without help */
	sem_t wake;
	unsigned int places;
	pthread_t thread;
	behind_work *work, *finish;
	void *arg;
};

enum {	/* nanoseconds */
	AT_ONCE = 300000, /* some lots' time */
	NAP = 200000,
};

/*
 * A lot takes some 50 microseconds where memory takes it, and to be woken from sleep on another processor about as long,
 * where the machine is a virtual one.  So who waits looks again for a while, counted from *since: 0 at first.  True: that
 * was in vain for long.
 */
static bool look_again(struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!since->tv_sec)
		*since = now;
	if ((now.tv_sec - since->tv_sec) * 1000000000LL + now.tv_nsec - since->tv_nsec >= AT_ONCE)
		return true;
	sched_yield();
	return false;
}

/* By the giver, when there is something to do. */
static void wake(struct behind *b)
{
	if (atomic_exchange(&b->asleep, 0))
		sem_post(&b->wake);
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
		if (who == BEHIND_GIVER)
			wake(b);
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
		else if (look_again(&since))
			nanosleep(&(const struct timespec){ 0, NAP }, NULL);
	}
}

static bool has_work(struct behind *b, unsigned int next)
{
	if (b->last || b->state[next % b->places] == READY)
		return true;
	for (unsigned int i = 0; i < b->places; i++)
		if (b->state[i] == GIVEN)
			return true;
	return false;
}

/* Its processor is not kept from the giver by one who looks for nothing: they may share a core. */
static void sleep_until_woken(struct behind *b, unsigned int next)
{
	b->asleep = 1;
	if (!has_work(b, next))	/* what came since then has not woken it */
		sem_wait(&b->wake);
	b->asleep = 0;
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
			if (look_again(&since))
				sleep_until_woken(b, next);
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
	sem_init(&b->wake, 0, 0);
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
	wake(b);
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
	wake(b);
	pthread_join(b->thread, NULL);
	free(b);
}
