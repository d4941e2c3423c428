/* SPDX-License-Identifier: MIT */
/* The clock functions of the vDSO work on, in threads that may be stopped in the middle of one, and time runs forward. */
#include "testlib.h"

#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>

enum { THREADS = 2 };

static pthread_t thread[THREADS];
static volatile bool stop;
static volatile long rounds;
static const unsigned char *vdso;
static time_t started;

/* Calls without end, so that save most likely finds a thread inside the vDSO. */
static void *ask_for_time(void *arg)
{
	int64_t last = 0;

	for (long i = 0; !stop; i++) {
		struct timeval now;
		int64_t monotonic = test_now_ns();

		expect(monotonic >= last, "CLOCK_MONOTONIC ran backwards by %lld ns", (long long)(last - monotonic));
		last = monotonic;
		expect(gettimeofday(&now, NULL) == 0 && now.tv_sec >= started, "gettimeofday gives %lld", (long long)now.tv_sec);
		if (i % 4096 == 0) {
			__atomic_fetch_add(&rounds, 1, __ATOMIC_SEQ_CST);
			test_nap(1); /* two cores are shared with the tool */
		}
	}
	return arg;
}

void test_setup(void)
{
	vdso = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	started = time(NULL);
	for (int i = 0; i < THREADS; i++)
		thread[i] = test_thread(ask_for_time, NULL);
	while (rounds < 4)
		test_nap(1);
}

void test_break(void)
{
	started += 1000;
	test_nap(10);
}

void test_check(void)
{
	struct timespec coarse, fine;
	long now = rounds;

	for (int i = 0; i < 500 && rounds == now; i++)
		test_nap(10);
	expect(rounds > now, "the threads stand still");
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	expect(!vdso || memcmp(vdso, "\177ELF", 4) == 0, "there is no vDSO at AT_SYSINFO_EHDR any more");
	for (clockid_t clock = 0; clock <= CLOCK_BOOTTIME; clock++)
		expect(clock_gettime(clock, &fine) == 0 || clock == 10, "clock %d: errno %d", clock, errno);
	clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
	clock_gettime(CLOCK_REALTIME, &fine);
	expect(fine.tv_sec - coarse.tv_sec <= 1, "the coarse clock is %lld s behind", (long long)(fine.tv_sec - coarse.tv_sec));
	expect(sched_getcpu() >= 0, "sched_getcpu: errno %d", errno);
}
