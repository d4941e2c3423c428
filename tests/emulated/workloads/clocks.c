/* SPDX-License-Identifier: MIT */
/*
 * A program that lives by the clock: a thread that wakes at absolute times, one that waits for timeouts, an interval timer, a
 * POSIX timer, and a main thread that compares them all.  No clock may go back or jump, no wait may end early, nothing may stand still.
 *
 * A kernel without time namespaces cannot let its clocks go on after a reboot: there they may jump, once each time, and a moment
 * that was computed before is worth nothing.  All sleeps are relative then, and must be as long as ever.  Only when it is called
 * told, and restored with --clock=tell, the C library shows clocks that do not jump.
 *
 * Prints a line about five times a second: a number that counts up from 1, then "ok" or what is wrong, and without time
 * namespaces how often the clock has jumped.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

enum {
	CADENCE_MS = 50,
	TIMEOUT_MS = 120,
	ALARM_MS = 100,
	TICK_MS = 40,
	EARLY_MS = 1000,
	LATE_MS = 20000, /* emulated boards are slow, as are those that emulate them, and a save takes its time */
};

static bool absolute, may_jump; /* deadlines are kept; the clock may jump */
static _Atomic(const char *) wrong;
static atomic_ulong beats, timeouts;
static volatile sig_atomic_t alarms, ticks;
static timer_t ticking;

static int64_t now(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		wrong = "clock_gettime fails";
	return (int64_t)t.tv_sec * 1000 * MS + t.tv_nsec;
}

static bool is_jump(int64_t elapsed, int64_t least)
{
	return elapsed < 0 || elapsed > least + LATE_MS * MS;
}

static void expect(int64_t elapsed, int64_t least, const char *early, const char *late)
{
	if (may_jump && is_jump(elapsed, least))
		return;
	if (elapsed < least)
		wrong = early;
	if (elapsed > least + LATE_MS * MS)
		wrong = late;
}

static void *relative_cadence(void *unused)
{
	for (;;) {
		struct timespec rest = { .tv_nsec = CADENCE_MS * MS };
		int64_t began = now(CLOCK_MONOTONIC);

		while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
			;
		expect(now(CLOCK_MONOTONIC) - began, CADENCE_MS * MS, "a sleep ended early", "a sleep ended late");
		beats++;
	}
	return unused;
}

static void *cadence(void *unused)
{
	int64_t next = now(CLOCK_MONOTONIC);

	for (;;) {
		struct timespec at;

		next += CADENCE_MS * MS;
		at = (struct timespec){ .tv_sec = (time_t)(next / (1000 * MS)), .tv_nsec = (long)(next % (1000 * MS)) };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
			;
		expect(now(CLOCK_MONOTONIC), next, "an absolute sleep ended early", "an absolute sleep ended late");
		beats++;
	}
	return unused;
}

static void *wait_for_timeouts(void *unused)
{
	for (;;) {
		int64_t began = now(CLOCK_MONOTONIC);

		if (poll(NULL, 0, TIMEOUT_MS))
			wrong = "poll was interrupted";
		expect(now(CLOCK_MONOTONIC) - began, TIMEOUT_MS * MS, "a timeout came early", "a timeout came late");
		timeouts++;
	}
	return unused;
}

/* Takes long enough to be saved in the midst of it. */
static void on_alarm(int signal)
{
	const struct timespec rest = { .tv_nsec = ALARM_MS / 2 * MS };
	const int saved = errno;

	(void)signal;
	nanosleep(&rest, NULL);
	alarms++;
	errno = saved;
}

/* The kernel tells how often the timer ended in all. */
static void on_tick(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	if (info->si_code != SI_TIMER || info->si_value.sival_ptr != &ticking)
		wrong = "a signal of the POSIX timer has lost what it carried";
	ticks += 1 + info->si_overrun;
}

static void start_ticking(void)
{
	const struct sigaction action = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART };
	const struct itimerspec every = { { .tv_nsec = TICK_MS * MS }, { .tv_nsec = TICK_MS * MS } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_ptr = &ticking };

	sigaction(event.sigev_signo, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &ticking) || timer_settime(ticking, 0, &every, NULL))
		wrong = "there is no POSIX timer";
}

/* Counters of what happens every so often must keep up with the clock. */
static void keeps_up(unsigned long count, int64_t elapsed, int every_ms, const char *what)
{
	if ((int64_t)count * every_ms * MS + LATE_MS * MS < elapsed)
		wrong = what;
}

int main(int argc, char **argv)
{
	struct itimerval every = { .it_interval.tv_usec = ALARM_MS * 1000, .it_value.tv_usec = ALARM_MS * 1000 };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	int64_t last, boottime, total = 0;
	unsigned long jumps = 0;
	pthread_t thread;
	sigset_t alarm;

	setvbuf(stdout, NULL, _IOLBF, 0);
	absolute = !access("/proc/self/ns/time", F_OK);
	may_jump = !absolute && !(argc && strstr(argv[0], "told"));
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaddset(&alarm, SIGRTMIN + 1);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* for the threads: the main one takes the signals */
	if (pthread_create(&thread, NULL, absolute ? cadence : relative_cadence, NULL) ||
	    pthread_create(&thread, NULL, wait_for_timeouts, NULL))
		return 1;
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);

	start_ticking();
	last = now(CLOCK_MONOTONIC);
	boottime = now(CLOCK_BOOTTIME) - last;
	for (unsigned long n = 1;; n++) {
		struct timespec rest = { .tv_nsec = 200 * MS };
		int64_t t;

		while (nanosleep(&rest, &rest) && errno == EINTR)
			;
		t = now(CLOCK_MONOTONIC);
		expect(t - last, 200 * MS, "the clock went back, or a sleep ended early", "the clock jumped");
		if (is_jump(t - last, 200 * MS))
			jumps++;
		else
			total += t - last;
		last = t;
		t = now(CLOCK_BOOTTIME) - now(CLOCK_MONOTONIC) - boottime;
		if (t < -LATE_MS * MS || t > LATE_MS * MS)
			wrong = "CLOCK_BOOTTIME left CLOCK_MONOTONIC";
		keeps_up(beats, total, absolute ? CADENCE_MS : 2 * CADENCE_MS, absolute ? "absolute sleeps stand still" : "sleeps stand still");
		keeps_up(timeouts, total, 2 * TIMEOUT_MS, "timeouts stand still");
		keeps_up((unsigned long)alarms, total, 4 * ALARM_MS, "the interval timer stands still");
		keeps_up((unsigned long)ticks, total, may_jump ? 2 * TICK_MS : TICK_MS, "the POSIX timer stands still");
		if (!may_jump && (int64_t)ticks * TICK_MS * MS > total + EARLY_MS * MS)
			wrong = "the POSIX timer ends too often";
		if (may_jump)
			printf("%lu %s, %lu jumps\n", n, wrong ? wrong : "ok", jumps);
		else
			printf("%lu %s\n", n, wrong ? wrong : "ok");
	}
}
