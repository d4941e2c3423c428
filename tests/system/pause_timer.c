/* SPDX-License-Identifier: MIT */
/*
 * A timer ends while all stand still, between save and restore: its signal ends the pause(2) that waits for it. Were the handler to
 * run first and the call to be made then, it would wait for ever. So it does, now and then, where a program is stopped just before
 * its pause: of several processes one may. It does without a save, too, where a machine is so busy that the timer ends before the
 * pause begins: the busier, the longer is the time.
 */
#include "testlib.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COUNT = 6, LATE = 2, ROUNDS = 300 };

static pid_t child[COUNT];
static long shortest = 9000; /* us */

static void on_alarm(int sig)
{
	(void)sig;
}

static void body(void *arg)
{
	const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_NODEFER}; /* the mask stays as it is */
	intptr_t number = (intptr_t)arg;

	must(sigaction(SIGALRM, &action, NULL));
	test_child_ready();
	while (!test_may_go()) {
		const struct itimerval soon = {.it_value.tv_usec = shortest + 1000 * number};

		must(setitimer(ITIMER_REAL, &soon, NULL));
		pause();
	}
	if (test_breaking() && number < LATE)
		pause();
}

static int64_t now_us(void)
{
	struct timespec t;

	must(clock_gettime(CLOCK_MONOTONIC, &t));
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

void test_setup(void)
{
	for (int i = 0; i < 20; i++) {
		const int64_t began = now_us();

		test_nap(1);
		if (6 * (now_us() - began) > shortest)
			shortest = 6 * (now_us() - began);
	}
	if (shortest > 500000)
		shortest = 500000;
	for (intptr_t i = 0; i < COUNT; i++)
		child[i] = test_child(body, (void *)i);
}

void test_break(void)
{
	/* the first of them do not end */
}

void test_check(void)
{
	int left = COUNT;

	for (int round = 0; round < ROUNDS && left; round++) {
		for (int i = 0; i < COUNT; i++)
			if (child[i] && waitpid(child[i], NULL, WNOHANG) == child[i]) {
				child[i] = 0;
				left--;
			}
		test_nap(5);
	}
	for (int i = 0; i < COUNT; i++)
		if (child[i]) {
			must(kill(child[i], SIGKILL));
			must(waitpid(child[i], NULL, 0));
		}
	expect(left < LATE, "%d of %d processes wait for a signal that came while all stood still", left, COUNT);
}
