/* SPDX-License-Identifier: MIT */
/* Lots that two work on: each is done once, finished in its order, and stays as it was given until then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "image/behind.h"

enum { LOTS = 2000, NO_LOT = -1 };

struct job {
	int lot[BEHIND_PLACES_MAX];	/* the giver's, that workers read */
	_Atomic int worked[LOTS], finished[LOTS];
	_Atomic int order;		/* lots that were finished */
	_Atomic bool wrong;		/* no place for cmocka's jumps: seen by the workers */
	int fails_at, finish_fails_at;
};

static void dawdle(unsigned int lot)
{
	volatile unsigned int spin = lot * 2654435761u >> 20;

	while (spin)
		spin--;
	if (lot % 97 == 0)
		nanosleep(&(const struct timespec){ 0, 100000 }, NULL);
}

static int work(void *arg, unsigned int place, enum behind_who who)
{
	struct job *job = arg;
	const int lot = job->lot[place];
	sigset_t blocked;

	dawdle((unsigned int)lot);
	job->wrong |= job->lot[place] != lot || who >= BEHIND_WORKERS || job->worked[lot]++;
	/* signals are not for the thread, or who waits for something would not be told */
	if (lot % 16 == 0) {
		pthread_sigmask(SIG_BLOCK, NULL, &blocked);
		job->wrong |= sigismember(&blocked, SIGALRM) != (who == BEHIND_THREAD);
	}
	return lot == job->fails_at ? -EIO : 0;
}

static int finish(void *arg, unsigned int place, enum behind_who who)
{
	struct job *job = arg;
	const int lot = job->lot[place];

	dawdle((unsigned int)lot * 7);
	job->wrong |= who != BEHIND_THREAD || job->worked[lot] != 1 || job->finished[lot]++ || lot != job->order++;
	return lot == job->finish_fails_at ? -ENOSPC : 0;
}

static struct job *new_job(void)
{
	struct job *job = calloc(1, sizeof(*job));

	assert_non_null(job);
	job->fails_at = job->finish_fails_at = NO_LOT;
	return job;
}

static int give(struct job *job, struct behind *b, int lot)
{
	const unsigned int place = behind_place(b);

	assert_int_equal(behind_given(b), lot);
	job->lot[place] = lot;
	return behind_give(b);
}

static void test_all(void **state)
{
	(void)state;
	for (int finishes = 0; finishes < 2; finishes++) {
		for (unsigned int places = 2; places <= BEHIND_PLACES_MAX; places++) {
			struct job *job = new_job();
			struct behind *b = behind_start(work, finishes ? finish : NULL, job, places, NULL);

			assert_non_null(b);
			for (int i = 0; i < LOTS; i++) {
				assert_int_equal(give(job, b, i), 0);
				if (i % 31 == 30) {
					assert_int_equal(behind_wait_for(b, (unsigned int)i - 1), 0);
					for (int j = 0; j < i - 1; j++)
						assert_int_equal(finishes ? job->finished[j] : job->worked[j], 1);
				}
			}
			if (places % 2)
				assert_int_equal(behind_wait(b), 0);
			behind_stop(b);
			for (int i = 0; i < LOTS; i++)
				assert_int_equal(finishes ? job->finished[i] : job->worked[i], 1);
			assert_false(job->wrong);
			free(job);
		}
	}
}

/* Nothing that comes later is worked on for long, nobody waits for ever, and the error stays. */
static void test_fails(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		for (int at = 0; at < 40; at++) {
			struct job *job = new_job();
			struct behind *b = behind_start(work, finish, job, 4, NULL);
			const int error = kind ? -ENOSPC : -EIO;
			int err = 0, given = 0;

			*(kind ? &job->finish_fails_at : &job->fails_at) = at;
			assert_non_null(b);
			while (!err && given < LOTS)
				err = give(job, b, given++);
			assert_int_equal(err, error);
			assert_in_range(given, at + 1, at + 5);
			assert_int_equal(give(job, b, given++), error);
			assert_int_equal(behind_wait(b), error);
			behind_stop(b);
			assert_in_range(job->order, 0, at + kind);
			assert_false(job->wrong);
			free(job);
		}
	}
}

static void test_none(void **state)
{
	struct job *job = new_job();
	struct behind *b = behind_start(work, finish, job, 3, NULL);

	(void)state;
	assert_int_equal(behind_wait(b), 0);
	behind_stop(b);
	assert_int_equal(behind_wait(NULL), 0);
	behind_stop(NULL);
	free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_fails),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
