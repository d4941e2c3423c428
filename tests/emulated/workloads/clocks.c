/* SPDX-License-Identifier: MIT */
/*
 * A program that lives by the clock: a thread that wakes at absolute times, one that waits for timeouts, an interval timer, and
 * a main thread that compares them all.  No clock may go back or jump, no wait may end early, nothing may stand still.
 *
 * Prints a line about five times a second: a number that counts up from 1, then "ok" or what is wrong.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define MS INT64_C(1000000)

enum {
	CADENCE_MS = 50,
	TIMEOUT_MS = 120,
	ALARM_MS = 100,
	LATE_MS = 5000, /* emulated boards are slow, and a save takes its time; a reboot takes longer */
};

static _Atomic(const char *) wrong;
static atomic_ulong beats, timeouts;
static volatile sig_atomic_t alarms;

static int64_t now(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		wrong = "clock_gettime fails";
	return (int64_t)t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void expect(int64_t elapsed, int64_t least, const char *early, const char *late)
{
	if (elapsed < least)
		wrong = early;
	if (elapsed > least + LATE_MS * MS)
		wrong = late;
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

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

/* Counters of what happens every so often must keep up with the clock. */
static void keeps_up(unsigned long count, int64_t elapsed, int every_ms, const char *what)
{
	if ((int64_t)count * every_ms * MS + LATE_MS * MS < elapsed)
		wrong = what;
}

int main(void)
{
	struct itimerval every = { .it_interval.tv_usec = ALARM_MS * 1000, .it_value.tv_usec = ALARM_MS * 1000 };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	int64_t began, last, boottime;
	pthread_t thread;
	sigset_t alarm;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* for the threads: the main one takes the signals */
	if (pthread_create(&thread, NULL, cadence, NULL) || pthread_create(&thread, NULL, wait_for_timeouts, NULL))
		return 1;
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);

	began = last = now(CLOCK_MONOTONIC);
	boottime = now(CLOCK_BOOTTIME) - last;
	for (unsigned long n = 1;; n++) {
		struct timespec rest = { .tv_nsec = 200 * MS };
		int64_t t;

		while (nanosleep(&rest, &rest) && errno == EINTR)
			;
		t = now(CLOCK_MONOTONIC);
		expect(t - last, 200 * MS, "the clock went back, or a sleep ended early", "the clock jumped");
		last = t;
		t = now(CLOCK_BOOTTIME) - now(CLOCK_MONOTONIC) - boottime;
		if (t < -LATE_MS * MS || t > LATE_MS * MS)
			wrong = "CLOCK_BOOTTIME left CLOCK_MONOTONIC";
		keeps_up(beats, last - began, CADENCE_MS, "absolute sleeps stand still");
		keeps_up(timeouts, last - began, 2 * TIMEOUT_MS, "timeouts stand still");
		keeps_up((unsigned long)alarms, last - began, 4 * ALARM_MS, "the interval timer stands still");
		printf("%lu %s\n", n, wrong ? wrong : "ok");
	}
}
