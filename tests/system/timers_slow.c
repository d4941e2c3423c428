/* SPDX-License-Identifier: MIT */
/*
 * Timers that end while an image is written to slow flash, the tree standing still: by its clocks it is not yet time, so that they
 * end later, after restore, no sooner than they would have, and not twice.
 *
 * modes: slow
 * arguments: once interval
 */
#include "timers.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>

/* Writing takes two seconds (mode slow), and PERIOD ends within them; all in ms, EARLY and LATE on a busy or an emulated machine. */
enum { BYTES = 2 << 20, PERIOD = 1500, EARLY = 500, LATE = 500, TICKS = 4, STOPPED = 1000, WRITING = 2000 };

enum kind { ALARM, POSIX, POSIX_THREAD, TIMERFD, KINDS };
static struct {
	const char *name;
	volatile int64_t tick[TICKS];
	volatile int ticks;
} kinds[KINDS] = {
	{.name = "setitimer"}, {.name = "timer_create"}, {.name = "timer_create, for a thread"}, {.name = "timerfd"},
};

/*
 * How long the tree stood still, and when, by CLOCK_REALTIME, which goes on meanwhile.  A program that gets no turn takes that for
 * standing still as well, so that its other clock, which stops just then, has the last word where the program's own stops.  Where
 * it does not, the gap is the most that it can have been, and what the writing takes is the least.
 */
static volatile int64_t started, gap, gap_at, stopped, looks;
static volatile pid_t taker;
static int fd, wanted;
static bool posix; /* where the kernel tells of them */

static int64_t own_time(int64_t now, int64_t still)
{
	return now - started - (gap_at && now > gap_at ? still : 0);
}

static void *find_gap(void *arg)
{
	int64_t last = 0, now, last_own = 0, own;

	for (;; last = now, last_own = own) {
		own = clock_ns(CLOCK_MONOTONIC);
		now = clock_ns(CLOCK_REALTIME);
		if (last && now - last > gap) {
			gap = now - last;
			gap_at = last;
			stopped = gap - (own - last_own);
		}
		looks++;
		test_nap(1);
	}
	return arg;
}

static void tick(enum kind kind)
{
	if (kinds[kind].ticks < TICKS)
		kinds[kind].tick[kinds[kind].ticks++] = clock_ns(CLOCK_REALTIME);
}

static void on_signal(int number)
{
	tick(number == SIGALRM ? ALARM : POSIX);
}

static void *take_signals(void *arg)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	taker = gettid();
	while (!sigwait(&set, &number))
		tick(POSIX_THREAD);
	return arg;
}

static void start_all(void)
{
	const int64_t again = wanted > 1 ? PERIOD * MS : 0;
	const struct timeval period = {PERIOD / 1000, PERIOD % 1000 * 1000};
	const struct itimerval time = {.it_value = period, .it_interval = again ? period : (struct timeval){0}};
	const struct itimerspec nanoseconds = {.it_value = from_ns(PERIOD * MS), .it_interval = from_ns(again)};

	fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
	started = clock_ns(CLOCK_REALTIME);
	must(setitimer(ITIMER_REAL, &time, NULL));
	must(timerfd_settime(fd, 0, &nanoseconds, NULL));
	if (posix) {
		timer_start(timer_new(CLOCK_MONOTONIC, SIGUSR2, 0, NULL), PERIOD * MS, again, 0);
		timer_start(timer_new(CLOCK_MONOTONIC, SIGUSR1, taker, NULL), PERIOD * MS, again, 0);
	}
}

void test_setup(void)
{
	const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NODEFER};
	unsigned *noise = must(mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), word = 1;
	sigset_t set;

	wanted = strcmp(test_argument(), "interval") ? 1 : 2;
	for (int i = 0; i < BYTES / 4; i++)
		noise[i] = word = word * 1664525 + 1013904223;
	posix = access("/proc/self/timers", F_OK) == 0;
	/* the main thread alone takes signals in handlers */
	block(SIGUSR1);
	block(SIGUSR2);
	block(SIGALRM);
	test_thread(find_gap, NULL);
	test_thread(take_signals, NULL);
	while (!taker)
		test_nap(1);
	must(sigaction(SIGALRM, &action, NULL));
	must(sigaction(SIGUSR2, &action, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	start_all();
}

void test_break(void)
{
	for (int i = 0; i < TICKS; i++)
		tick(ALARM);
}

void test_check(void)
{
	const int64_t looks_before = looks;
	int64_t least, most;
	uint64_t ended;

	while (looks < looks_before + 2) /* on a busy machine this thread may be the first to go on */
		test_nap(1);
	most = stopped > STOPPED * MS ? stopped : gap;
	least = most == gap && gap > WRITING * MS ? WRITING * MS : most;
	while (own_time(clock_ns(CLOCK_REALTIME), most) < (wanted * PERIOD + 2 * LATE) * MS) {
		if (read(fd, &ended, sizeof ended) == sizeof ended)
			while (ended--)
				tick(TIMERFD);
		test_nap(1);
	}
	test_log("it stood still for %lld ms, its clock for %lld\n", (long long)(gap / MS), (long long)(stopped / MS));
	for (int k = 0; k < KINDS; k++) {
		const bool there = k == ALARM || k == TIMERFD || posix;

		for (int i = 0; i < kinds[k].ticks; i++) {
			const int64_t late = own_time(kinds[k].tick[i], most) / MS - (i + 1) * PERIOD;
			const int64_t early = (i + 1) * PERIOD - own_time(kinds[k].tick[i], least) / MS;

			test_log("%s: %d: %lld ms late\n", kinds[k].name, i + 1, (long long)late);
			expect(early <= EARLY, "%s: it ended %lld ms too early", kinds[k].name, (long long)early);
			expect(late <= LATE, "%s: it ended %lld ms too late", kinds[k].name, (long long)late);
		}
		expect(kinds[k].ticks == (there ? wanted : 0), "%s: it ended %d times, not %d", kinds[k].name, kinds[k].ticks, wanted);
	}
}
