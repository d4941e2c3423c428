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
static pthread_t other;
static pid_t other_tid;
static pthread_barrier_t turn;

static long times(int i)
{
	const long expected = (long)((clock_ns(CLOCK_MONOTONIC) - started[i]) / period);
	long sum = 0;
	siginfo_t info;

	while (take_signal(numbers[i], &info)) {
		expect(info.si_code == SI_TIMER && info.si_timerid == timer_number(timers[i]), "signal %d has lost what it carried", numbers[i]);
		sum += 1 + info.si_overrun;
		if (sum > expected / 2)		/* they come for ever */
			break;
	}
	test_log("signal %d: %ld times, %ld expected\n", numbers[i], sum, expected);
	return expected ? sum * 100 / expected : 0;
}

/* What is lost is nearly all; some tenths of a second may be counted or not: how long all stood still, if the clock ran on meanwhile. */
static bool is_right(long percent)
{
	return percent > 60 && percent < 200;
}

static void *others(void *arg)
{
	(void)arg;
	other_tid = gettid();
	pthread_barrier_wait(&turn);
	for (;;) {
		pthread_barrier_wait(&turn);
		const long percent = times(TIMERS - 1);

		expect(is_right(percent), "signal %d: %ld of 100 times", numbers[TIMERS - 1], percent);
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
	period = 10 * turn_ns();
	pthread_barrier_init(&turn, NULL, 2);
	pthread_create(&other, NULL, others, NULL);
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
	for (int i = 0; i < TIMERS - 1; i++) {
		const long percent = times(i);

		expect(is_right(percent), "signal %d: %ld of 100 times", numbers[i], percent);
	}
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	start();
	test_nap(1000);
}
