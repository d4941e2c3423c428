/* SPDX-License-Identifier: MIT */
/*
 * A timer ends while all stand still, between save and restore: its signal ends the pause(2) that waits for it. Were the handler to
 * run first and the call to be made then, it would wait for ever. So it does without a save, too, where the timer ends before the pause
 * begins, as on a busy machine: then the handler finds itself called from elsewhere than from before the call, and sets it anew.
 *
 * late - those that wait are given a processor last, long after the release: the signal comes before they are in their call again.
 * arguments: soon late
 */
#include "testlib.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { COUNT = 6, LATE = 2, ROUNDS = 300 };

static pid_t child[COUNT];
static intptr_t me;
static bool is_late;
static volatile bool *lost; /* each: its handler was called before the call that it was to end */
static long shortest = 9000; /* us */

static void set(int number)
{
	const struct itimerval soon = {.it_value.tv_usec = shortest + 1000 * number};

	must(setitimer(ITIMER_REAL, &soon, NULL));
}

/* At the instruction of a system call, which is yet to be made? */
static bool is_at_call(const ucontext_t *context)
{
#if defined(__x86_64__)
	static const unsigned char call[] = {0x0f, 0x05};
	const uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	static const unsigned char call[] = {0x01, 0x00, 0x00, 0xd4};
	const uintptr_t pc = context->uc_mcontext.pc;
#elif defined(__arm__)
	static const unsigned char arm[] = {0x00, 0x00, 0x00, 0xef}, call[] = {0x00, 0xdf};
	const uintptr_t pc = context->uc_mcontext.arm_pc;

	if (!(context->uc_mcontext.arm_cpsr & 0x20))
		return !memcmp((const void *)pc, arm, sizeof arm);
#elif defined(__riscv)
	static const unsigned char call[] = {0x73, 0x00, 0x00, 0x00};
	const uintptr_t pc = context->uc_mcontext.__gregs[REG_PC];
#endif
	return !memcmp((const void *)pc, call, sizeof call);
}

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	if (is_at_call(context))
		lost[me] = true;
	else
		set(0);
}

static int64_t now_us(clockid_t clock)
{
	struct timespec t;

	must(clock_gettime(clock, &t));
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* Takes its processor for itself when all have stood still. */
static void spins(void *arg)
{
	enum { STOOD_STILL = 15000, SPIN = 200000 };

	(void)arg;
	test_child_ready();
	while (!test_may_go()) {
		const int64_t began = now_us(CLOCK_REALTIME);
		int64_t ended;

		test_nap(1);
		ended = now_us(CLOCK_REALTIME);
		while (ended - began > STOOD_STILL && now_us(CLOCK_REALTIME) - ended < SPIN)
			;
	}
}

/* The mask is to stay as it is: who has no processor may be seen in its handler. */
static void catch_alarm(void)
{
	const struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | SA_NODEFER};

	must(sigaction(SIGALRM, &action, NULL));
#if defined(__riscv)	/* musl gives the kernel, which knows no restorer here, that one for the mask (up to 1.2.4) */
	uint64_t of_kernel[3];

	must(syscall(SYS_rt_sigaction, SIGALRM, NULL, of_kernel, 8));
	of_kernel[2] = 0;
	must(syscall(SYS_rt_sigaction, SIGALRM, of_kernel, NULL, 8));
#endif
}

static void body(void *arg)
{
	const struct sched_param none = {0};

	me = (intptr_t)arg;
	catch_alarm();
	if (is_late)
		must(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &none)); /* musl has none */
	test_child_ready();
	while (!test_may_go()) {
		set((int)me);
		pause();
	}
	while (test_breaking() && me < LATE) {
		lost[me] = true;
		pause();
	}
}

void test_setup(void)
{
	lost = mmap(NULL, COUNT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(lost == MAP_FAILED ? -1 : 0);
	is_late = !strcmp(test_argument(), "late");
	for (int i = 0; is_late && i < sysconf(_SC_NPROCESSORS_ONLN); i++)
		test_child(spins, NULL);
	for (int i = 0; i < 20; i++) {
		const int64_t began = now_us(CLOCK_MONOTONIC);

		test_nap(1);
		if (6 * (now_us(CLOCK_MONOTONIC) - began) > shortest)
			shortest = 6 * (now_us(CLOCK_MONOTONIC) - began);
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
	int left = COUNT, waiting = 0;

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
			waiting += lost[i];
			must(kill(child[i], SIGKILL));
			must(waitpid(child[i], NULL, 0));
		}
	expect(waiting < LATE, "%d of %d processes wait for a signal that came while all stood still", waiting, COUNT);
}
