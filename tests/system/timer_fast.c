/* SPDX-License-Identifier: MIT */
/*
 * Periodic timers that end again about as soon as their signal is taken: who takes it and queues it again, to learn how often
 * they have ended, is late more often than not, and such a signal is queued once only.
 */
#include "timers.h"

enum { TIMERS = 8, OWN = 2 };

/* The last are of the main thread's own, and of another's. */
static const int numbers[TIMERS] = { SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGIO, SIGURG, SIGPWR };
static timer_t timers[TIMERS];
static int64_t started[TIMERS], period;
static volatile int64_t gap;	/* the longest time, by its clock, that the tree stood still for since then */
static volatile int looks;
static pthread_t other;
static pid_t other_tid;
static pthread_barrier_t turn;

static void *find_gap(void *arg)
{
	for (int64_t last = clock_ns(CLOCK_MONOTONIC), now;; last = now) {
		test_nap(10);
		now = clock_ns(CLOCK_MONOTONIC);
		if (now - last > gap)
			gap = now - last;
		looks++;
	}
	return arg;
}

/* Did its signal come as often as it had to?  What is lost is nearly all; while the tree stands still it may be counted, or not. */
static void check_times(int i)
{
	const int64_t elapsed = clock_ns(CLOCK_MONOTONIC) - started[i];
	const long most = (long)(elapsed / period), least = (long)((elapsed - gap) / period);
	long sum = 0, first = 0;
	siginfo_t info;

	while (take_signal(numbers[i], &info)) {
		expect(info.si_code == SI_TIMER && info.si_timerid == timer_number(timers[i]), "signal %d has lost what it carried", numbers[i]);
		sum += 1 + info.si_overrun;
		first = first ?: sum;
		if (sum > least)		/* they come for ever */
			break;
	}
	test_log("signal %d: %ld times (%ld), %ld to %ld expected, %ld us apart\n", numbers[i], sum, first, least, most,
		 (long)period / 1000);
	expect(sum > least * 6 / 10 && sum < most * 2, "signal %d: %ld times, %ld to %ld expected", numbers[i], sum, least, most);
}

static void *others(void *arg)
{
	(void)arg;
	other_tid = gettid();
	pthread_barrier_wait(&turn);
	for (;;) {
		pthread_barrier_wait(&turn);
		check_times(TIMERS - 1);
		pthread_barrier_wait(&turn);
	}
	return NULL;
}

/* How long it takes to take a signal and to queue it. */
static int64_t turn_ns(void)
{
	enum { TURNS = 100 };
	int64_t began;
	siginfo_t info;

	raise(SIGALRM);
	began = clock_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < TURNS; i++) {
		take_signal(SIGALRM, &info);
		raise(SIGALRM);
	}
	began = clock_ns(CLOCK_MONOTONIC) - began;
	take_signal(SIGALRM, &info);
	return began / TURNS;
}

static void start(void)
{
	gap = 0;
	for (int i = 0; i < TIMERS; i++) {
		started[i] = clock_ns(CLOCK_MONOTONIC);
		timer_start(timers[i], period, period, 0);
	}
}

void test_setup(void)
{
	timers_may_be_refused();
	for (int i = 0; i < TIMERS; i++)
		block(numbers[i]);
	period = 2 * turn_ns();
	pthread_barrier_init(&turn, NULL, 2);
	pthread_create(&other, NULL, others, NULL);
	test_thread(find_gap, NULL);
	pthread_barrier_wait(&turn);
	for (int i = 0; i < TIMERS; i++)
		timers[i] = timer_new(CLOCK_MONOTONIC, numbers[i], i < TIMERS - OWN ? 0 : i == TIMERS - 1 ? other_tid : gettid(), NULL);
	start();
	test_nap(1000);
}

void test_break(void)
{
	siginfo_t info;

	take_signal(numbers[0], &info);
}

void test_check(void)
{
	const int before = looks;

	while (looks < before + 2)	/* on a busy machine this thread may be the first to go on */
		test_nap(1);
	for (int i = 0; i < TIMERS - 1; i++)
		check_times(i);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	start();
	test_nap(1000);
}
