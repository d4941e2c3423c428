/* SPDX-License-Identifier: MIT */
/* The action of every signal: handler, flags and mask, ignored and default ones too. */
#include "testlib.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIGNALS = 65 };

/* As the kernel has it, in words: some C libraries show a part of it only. */
static struct known {
	unsigned long word[5];
} before[SIGNALS];
static bool settable[SIGNALS];
static volatile int seen_signal, seen_value;

static struct known look(int number)
{
	struct known now = {0};

	syscall(SYS_rt_sigaction, number, NULL, &now, 8);
	return now;
}

static void plain(int number)
{
	seen_signal = number;
}

static void with_info(int number, siginfo_t *info, void *context)
{
	(void)context;
	seen_signal = number;
	seen_value = info->si_value.sival_int;
}

void test_setup(void)
{
	static const int flags[] = {0, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_ONSTACK | SA_RESTART, SA_NOCLDSTOP | SA_NOCLDWAIT};

	for (int number = 1; number < SIGNALS; number++) {
		struct sigaction action = {.sa_handler = plain, .sa_flags = flags[number % 6]};

		sigemptyset(&action.sa_mask);
		for (int other = number; other < SIGNALS; other += number)
			sigaddset(&action.sa_mask, other);
		if (number % 7 == 3)
			action.sa_handler = SIG_IGN;
		if (number % 7 == 5)
			action.sa_handler = SIG_DFL;
		/* one that a tracer has to do with */
		if (number == SIGTRAP)
			action.sa_handler = SIG_IGN;
		if (number % 7 == 6) {
			action.sa_sigaction = with_info;
			action.sa_flags |= SA_SIGINFO;
		}
		if (number == SIGUSR1 || number == SIGRTMIN + 2) {
			action.sa_sigaction = with_info;
			action.sa_flags = SA_SIGINFO;
		}
		/* SIGKILL, SIGSTOP and those of the C library cannot be set. */
		settable[number] = sigaction(number, &action, NULL) == 0;
		before[number] = look(number);
	}
}

void test_break(void)
{
	struct sigaction action = {.sa_handler = plain, .sa_flags = SA_NODEFER};

	must(sigaction(SIGWINCH, &action, NULL));
}

void test_check(void)
{
	union sigval value = {.sival_int = 1234};

	for (int number = 1; number < SIGNALS; number++) {
		struct known now = look(number);

		if (!settable[number])
			continue;
		for (size_t i = 0; i < sizeof(now.word) / sizeof(now.word[0]); i++)
			expect(now.word[i] == before[number].word[i], "signal %d: word %zu was 0x%lx and is 0x%lx", number, i,
			       before[number].word[i], now.word[i]);
	}
	must(sigqueue(getpid(), SIGRTMIN + 2, value));
	expect(seen_signal == SIGRTMIN + 2 && seen_value == 1234, "the handler saw signal %d, value %d", seen_signal, seen_value);
	raise(SIGHUP);
	expect(seen_signal == SIGHUP, "the handler of SIGHUP did not run");
}
