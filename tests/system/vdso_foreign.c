/* SPDX-License-Identifier: MIT */
/*
 * Another kernel's vDSO: its functions give what the system calls give, in threads that may be stopped in the midst of one;
 * signals return, those that were being handled at the save, too, with a C library's trampoline and with the kernel's own.
 * modes: foreign
 */
#include "testlib.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifdef SYS_clock_gettime64	/* with the time that C libraries have today */
#define CLOCK_GETTIME SYS_clock_gettime64
#define CLOCK_GETRES SYS_clock_getres_time64
#else
#define CLOCK_GETTIME SYS_clock_gettime
#define CLOCK_GETRES SYS_clock_getres
#endif

enum { ASKING = 2, INSIDE = 4 };

static pthread_t asking[ASKING], inside[INSIDE];
static volatile bool stop;
static volatile int entered, returned;
static volatile long rounds, ticks;
static int64_t lie;

static int64_t raw(clockid_t clock)
{
	struct timespec now;

	syscall(CLOCK_GETTIME, clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int64_t library(clockid_t clock)
{
	struct timespec now = { 0, 0 };

	expect(clock_gettime(clock, &now) == 0, "clock %d: errno %d", clock, errno);
	return now.tv_sec * 1000000000LL + now.tv_nsec + lie;
}

/*
 * What the library says lies between what the kernel says before and after; the coarse clocks may lag by some ticks.  A reboot may
 * come in between: then it does the next time.
 */
static void compare(clockid_t clock, int64_t lag)
{
	int64_t before, got, after;
	int tries = 3;

	do {
		before = raw(clock);
		got = library(clock);
		after = raw(clock);
	} while ((got < before - lag || got > after) && --tries);
	expect(got >= before - lag && got <= after, "clock %d gives %lld, the system call %lld and then %lld", clock, (long long)got,
	       (long long)before, (long long)after);
}

static void compare_all(void)
{
	struct timespec resolution[2] = { { 0, 0 }, { 0, 0 } };
	struct timeval now;
	int64_t before, after;
	time_t seconds;

	compare(CLOCK_MONOTONIC, 0);
	compare(CLOCK_MONOTONIC_RAW, 0);
	compare(CLOCK_BOOTTIME, 0);
	compare(CLOCK_REALTIME, 0);
	compare(CLOCK_MONOTONIC_COARSE, 100000000);
	compare(CLOCK_REALTIME_COARSE, 100000000);
	before = raw(CLOCK_REALTIME) / 1000;
	expect(gettimeofday(&now, NULL) == 0, "gettimeofday: errno %d", errno);
	after = raw(CLOCK_REALTIME) / 1000;
	expect(now.tv_sec * 1000000LL + now.tv_usec >= before && now.tv_sec * 1000000LL + now.tv_usec <= after,
	       "gettimeofday gives %lld us, clock_gettime %lld and then %lld", now.tv_sec * 1000000LL + now.tv_usec,
	       (long long)before, (long long)after);
	seconds = time(NULL);
	expect(seconds >= before / 1000000 - 1 && seconds <= raw(CLOCK_REALTIME) / 1000000000, "time gives %lld", (long long)seconds);
	must(clock_getres(CLOCK_MONOTONIC, &resolution[0]));
	must(syscall(CLOCK_GETRES, CLOCK_MONOTONIC, &resolution[1]));
	expect(resolution[0].tv_nsec == resolution[1].tv_nsec,
	       "clock_getres gives %ld ns, the system call %ld", resolution[0].tv_nsec, resolution[1].tv_nsec);
	expect(sched_getcpu() >= 0 && sched_getcpu() < sysconf(_SC_NPROCESSORS_CONF), "sched_getcpu gives %d", sched_getcpu());
	errno = 0;
	expect(clock_gettime(99, &resolution[0]) == -1 && errno == EINVAL, "a clock that does not exist: errno %d", errno);
}

static void *ask(void *arg)
{
	for (long i = 0; !stop; i++) {
		compare_all();
		__atomic_fetch_add(&rounds, 1, __ATOMIC_SEQ_CST);
		if (i % 256 == 0)
			test_nap(1); /* two cores are shared with the tool */
	}
	return arg;
}

static void on_tick(int number)
{
	struct timespec now;

	(void)number;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ticks++;
}

/* The save happens in here. */
static void wait_inside(int number)
{
	(void)number;
	__atomic_fetch_add(&entered, 1, __ATOMIC_SEQ_CST);
	test_wait();
	compare_all();
}

#ifdef __arm__	/* the other state of the processor, in which handlers return otherwise */
#ifdef __thumb__
__attribute__((target("arm")))
#else
__attribute__((target("thumb")))
#endif
static void wait_inside_too(int number)
{
	wait_inside(number);
}
#else
#define wait_inside_too wait_inside
#endif

/* Without a C library's trampoline the kernel has signals return through its own, where there is one. */
struct plain_action {
	void (*handler)(int);
	unsigned long flags;
#if defined(__x86_64__)
	void (*restorer)(void);
#elif defined(__aarch64__) || defined(__arm__)
	void *restorer;
#endif
	uint64_t mask;
};

#if defined(__x86_64__)
void return_from_signal(void);
__asm__("return_from_signal: mov $15, %eax; syscall");
#define RETURNS SA_NODEFER | 0x04000000, .restorer = return_from_signal
#else
#define RETURNS SA_NODEFER
#endif

static void *handle(void *arg)
{
	raise((int)(intptr_t)arg);
	__atomic_fetch_add(&returned, 1, __ATOMIC_SEQ_CST);
	return arg;
}

void test_setup(void)
{
	static const int numbers[INSIDE] = { SIGUSR1, SIGUSR2, SIGHUP, SIGWINCH };
	struct plain_action plain = { .handler = wait_inside, .flags = RETURNS };
	struct plain_action with_info = { .handler = wait_inside, .flags = SA_SIGINFO | RETURNS };
	struct plain_action other_state = { .handler = wait_inside_too, .flags = SA_SIGINFO | RETURNS };
	const struct itimerval often = { { 0, 5000 }, { 0, 5000 } };

	signal(SIGUSR1, wait_inside);
	must(syscall(SYS_rt_sigaction, SIGUSR2, &plain, NULL, 8));
	must(syscall(SYS_rt_sigaction, SIGHUP, &with_info, NULL, 8));
	must(syscall(SYS_rt_sigaction, SIGWINCH, &other_state, NULL, 8));
	signal(SIGALRM, on_tick);
	for (int i = 0; i < INSIDE; i++)
		inside[i] = test_thread(handle, (void *)(intptr_t)numbers[i]);
	while (entered < INSIDE)
		test_nap(1);
	for (int i = 0; i < ASKING; i++)
		asking[i] = test_thread(ask, NULL);
	must(setitimer(ITIMER_REAL, &often, NULL));
	while (rounds < 50 || ticks < 5)
		test_nap(1);
}

void test_break(void)
{
	lie = -1000000000;
	test_nap(50);
}

void test_check(void)
{
	struct plain_action plain = { .handler = on_tick, .flags = RETURNS };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
	long now = rounds, before = ticks;

	expect(!vdso || memcmp(vdso, "\177ELF", 4) == 0, "there is no vDSO at AT_SYSINFO_EHDR any more");
	for (int i = 0; i < 1000 && (rounds < now + 50 || ticks < before + 5); i++)
		test_nap(10);
	expect(rounds >= now + 50, "the threads stand still");
	expect(ticks >= before + 5, "the timer's signals do not come");
	setitimer(ITIMER_REAL, &never, NULL);
	test_nap(50);	/* another thread may be about to handle the last one */
	must(syscall(SYS_rt_sigaction, SIGALRM, &plain, NULL, 8));
	before = ticks;
	for (int i = 0; i < 100; i++)
		raise(SIGALRM);
	expect(ticks == before + 100, "%ld of 100 signals were handled", ticks - before);
	stop = true;
	for (int i = 0; i < ASKING; i++)
		pthread_join(asking[i], NULL);
	for (int i = 0; i < INSIDE; i++)
		pthread_join(inside[i], NULL);
	expect(returned == INSIDE, "%d of %d handlers have returned", returned, INSIDE);
	compare_all();
}
