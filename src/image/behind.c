/* SPDX-License-Identifier: MIT */
#include "image/behind.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/io.h"

enum { STACK_BYTES = 16 * 1024 };

/* Whose turn it is: the rest is his alone. */
enum turn { CALLERS, THREADS, LAST };

struct behind {
	_Atomic enum turn turn;
	pthread_t thread;
	int fd;
	int err;
	struct iovec pieces[2];
};

/*
 * A lot takes some 50 microseconds, and to be woken from sleep on another processor about as long, where the machine is
 * a virtual one.  So nobody is woken: who waits looks again, at first at once and later in naps.
 */
static enum turn not_longer(struct behind *b, enum turn turn)
{
	const struct timespec nap = { 0, 200000 };
	enum turn now;

	for (unsigned int looks = 0; (now = atomic_load(&b->turn)) == turn; looks++) {
		if (looks < 200)
			sched_yield();
		else
			nanosleep(&nap, NULL);
	}
	return now;
}

static void *write_lots(void *arg)
{
	struct behind *b = arg;

	while (not_longer(b, CALLERS) != LAST) {
		if (!b->err)
			b->err = writev_all(b->fd, b->pieces, 2);
		atomic_store(&b->turn, CALLERS);
	}
	return NULL;
}

struct behind *behind_start(int fd)
{
	struct behind *b = calloc(1, sizeof(*b));
	pthread_attr_t attr;
	sigset_t all, before;
	int err;

	if (!b)
		return NULL;
	b->fd = fd;
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
	if (!b)
		return 0;
	not_longer(b, THREADS);
	return b->err;
}

int behind_write(struct behind *b, const struct iovec pieces[2])
{
	int err = behind_wait(b);

	if (err)
		return err;
	b->pieces[0] = pieces[0];
	b->pieces[1] = pieces[1];
	atomic_store(&b->turn, THREADS);
	return 0;
}

void behind_stop(struct behind *b)
{
	if (!b)
		return;
	behind_wait(b);
	atomic_store(&b->turn, LAST);
	pthread_join(b->thread, NULL);
	free(b);
}
