/* SPDX-License-Identifier: MIT */
/*
 * Timers that end while an image is written to slow flash, the tree standing still: by its clocks it is not yet time, so that they
 * end later, after restore, no sooner than they would have, and not twice.
 *
 * modes: slow
 * arguments: alarm interval posix posix:interval posix:thread timerfd
 */
#include "timers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>

/* Writing takes two seconds (mode slow), and PERIOD ends within them; all in ms, EARLY and LATE on a busy or an emulated machine. */
enum { BYTES = 2 << 20, PERIOD = 1500, EARLY = 150, LATE = 500, TICKS = 8 };

/* By CLOCK_REALTIME, which alone goes on while the tree stands still on all kernels: so long that was, at that time. */
static volatile int64_t started, gap, gap_at;
static volatile int64_t tick[TICKS];
static volatile int ticks, taker;
static int fd = -1;

static int64_t own_time(int64_t now)
{
	return now - started - (gap_at && now > gap_at ? gap : 0);
}

static void *find_gap(void *arg)
{
	int64_t last = 0, now;

	for (;; last = now) {
		now = clock_ns(CLOCK_REALTIME);
		if (last && now - last > gap) {
			gap = now - last;
			gap_at = last;
		}
		test_nap(1);
	}
	return arg;
}

static void on_tick(int number)
{
	(void)number;
	if (ticks < TICKS)
		tick[ticks++] = clock_ns(CLOCK_REALTIME);
}

static void *take_ticks(void *arg)
{
	sigset_t set;
	int number;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	taker = gettid();
	while (!sigwait(&set, &number))
		on_tick(number);
	return NULL;
}

static void start(void)
{
	const char *what = test_argument();
	const bool again = strstr(what, "interval");
	const struct itimerval time = {{again ? PERIOD / 1000 : 0, again ? PERIOD % 1000 * 1000 : 0}, {PERIOD / 1000, PERIOD % 1000 * 1000}};
	const struct itimerspec period = {.it_value = from_ns(PERIOD * MS)};
	const bool thread = !strcmp(what, "posix:thread");

	if (!strcmp(what, "timerfd")) {
		fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
		must(timerfd_settime(fd, 0, &period, NULL));
	} else if (!strncmp(what, "posix", 5)) {
		timer_start(timer_new(CLOCK_MONOTONIC, thread ? SIGUSR1 : SIGALRM, thread ? taker : 0, NULL), PERIOD * MS,
			    again ? PERIOD * MS : 0, 0);
	} else {
		must(setitimer(ITIMER_REAL, &time, NULL));
	}
}

void test_setup(void)
{
	const struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART | SA_NODEFER};
	unsigned *noise = must(mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), word = 1;
	sigset_t alarm;

	for (int i = 0; i < BYTES / 4; i++)
		noise[i] = word = word * 1664525 + 1013904223;
	if (!strncmp(test_argument(), "posix", 5))
		timers_may_be_refused();
	block(SIGUSR1);
	block(SIGALRM);
	test_thread(find_gap, NULL);
	if (!strcmp(test_argument(), "posix:thread")) {
		test_thread(take_ticks, NULL);
		while (!taker)
			test_nap(1);
	}
	must(sigaction(SIGALRM, &action, NULL));
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	started = clock_ns(CLOCK_REALTIME);
	start();
}

void test_break(void)
{
	for (int i = 0; i < TICKS; i++)
		on_tick(SIGALRM);
}

void test_check(void)
{
	const int wanted = strstr(test_argument(), "interval") ? 2 : 1;
	uint64_t ended;

	while (own_time(clock_ns(CLOCK_REALTIME)) < (wanted * PERIOD + 2 * LATE) * MS) {
		if (fd >= 0 && read(fd, &ended, sizeof(ended)) == sizeof(ended))
			for (uint64_t i = 0; i < ended; i++)
				on_tick(0);
		test_nap(1);
	}
	test_log("it stood still for %lld ms\n", (long long)(gap / MS));
	for (int i = 0; i < ticks; i++) {
		const int64_t late = own_time(tick[i]) / MS - (i + 1) * PERIOD;

		test_log("%d: %lld ms late\n", i + 1, (long long)late);
		expect(late >= -EARLY, "it ended %lld ms too early", (long long)-late);
		expect(late <= LATE, "it ended %lld ms too late", (long long)late);
	}
	expect(ticks == wanted, "it ended %d times, not %d", ticks, wanted);
}
