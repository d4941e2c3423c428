/* SPDX-License-Identifier: MIT */
/* Timers for threads: of the C library, which calls a function (SIGEV_THREAD), and signals to one thread (SIGEV_THREAD_ID). */
#include "timers.h"

enum { PERIOD = 30 };

static timer_t called, signalled;
static volatile int calls, signals;
static volatile pid_t thread_tid;
static const char *volatile wrong;
static volatile bool stop;
static pthread_t thread;
static int64_t started;

static void call(union sigval value)
{
	if (value.sival_ptr != &calls)
		wrong = "the function got another value";
	calls++;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	if (gettid() != thread_tid || info->si_timerid != timer_number(signalled))
		wrong = "a signal came to another thread";
	signals += 1 + info->si_overrun;
}

static void *body(void *arg)
{
	if (arg)
		thread_tid = gettid();
	while (!stop)
		test_nap(5);
	return arg;
}

void test_setup(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = call, .sigev_value.sival_ptr = (void *)&calls};
	const struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

	pthread_t stacks[3];

	timers_may_be_refused();
	must(sigaction(SIGRTMIN + 5, &action, NULL));
	/* two calls at once would take one more stack: it is there */
	for (int i = 0; i < 3; i++)
		stacks[i] = test_thread(body, NULL);
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(stacks[i], NULL);
	stop = false;
	thread = test_thread(body, &thread);
	while (!thread_tid)
		test_nap(1);
	must(timer_create(CLOCK_MONOTONIC, &event, &called));
	signalled = timer_new(CLOCK_REALTIME, SIGRTMIN + 5, thread_tid, NULL);
	started = clock_ns(CLOCK_MONOTONIC);
	timer_start(called, PERIOD * MS, PERIOD * MS, 0);
	timer_start(signalled, PERIOD * MS, PERIOD * MS, 0);
	while (!calls)
		test_nap(5);
}

void test_break(void)
{
	timer_start(called, 0, 0, 0);
	test_nap(2 * PERIOD);
}

void test_check(void)
{
	const int calls_before = calls, signals_before = signals;
	const int64_t began = clock_ns(CLOCK_MONOTONIC);
	int64_t elapsed;

	/* the function's thread may have to start first */
	while ((calls < calls_before + 10 || signals < signals_before + 10) && clock_ns(CLOCK_MONOTONIC) - began < 5000 * MS)
		test_nap(5);
	elapsed = clock_ns(CLOCK_MONOTONIC) - started;
	expect(!wrong, "%s", wrong);
	expect(calls >= calls_before + 10, "the function was called %d times", calls - calls_before);
	expect(signals >= signals_before + 10, "%d signals came", signals - signals_before);
	expect(calls <= elapsed / (PERIOD * MS) + 2, "%d calls in %lld ms", calls, (long long)(elapsed / MS));
	stop = true;
	pthread_join(thread, NULL);
}
