/* SPDX-License-Identifier: MIT */
/* Zombies keep their exit status until their parent asks, and no SIGCHLD is sent again for them. */
#include "selfview.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	int exit_code, signal, how;
} cases[] = {{42, 0, CLD_EXITED}, {0, 0, CLD_EXITED}, {255, 0, CLD_EXITED}, {0, SIGKILL, CLD_KILLED}, {0, SIGTERM, CLD_KILLED}};
enum { CASES = sizeof cases / sizeof *cases };

static pid_t child[CASES];
static volatile int notified;

static void count(int number)
{
	(void)number;
	notified++;
}

void test_setup(void)
{
	signal(SIGCHLD, count);
	for (int i = 0; i < CASES; i++) {
		child[i] = must(fork());
		if (child[i] == 0) {
			signal(SIGTERM, SIG_DFL);
			if (cases[i].signal)
				raise(cases[i].signal);
			_exit(cases[i].exit_code);
		}
		while (task_state(child[i]) != 'Z')
			test_nap(1);
	}
	notified = 0;
}

void test_break(void)
{
	test_join(child[1]);
}

void test_check(void)
{
	test_nap(5);
	expect(notified == 0, "SIGCHLD came %d times although no child has ended since", notified);
	for (int i = 0; i < CASES; i++) {
		siginfo_t info = {0};
		int expected = cases[i].signal ? cases[i].signal : cases[i].exit_code;

		expect(waitid(P_PID, child[i], &info, WEXITED | WNOHANG) == 0 && info.si_pid == child[i],
		       "child %d is no zombie any more", child[i]);
		expect(info.si_code == cases[i].how && info.si_status == expected, "child %d: code %d, status %d instead of %d, %d",
		       child[i], info.si_code, info.si_status, cases[i].how, expected);
	}
	expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
}
