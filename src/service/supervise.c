/* SPDX-License-Identifier: MIT */
#include "service/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

#include "base/log.h"
#include "command.h"

static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT };
static pid_t supervised;

static void pass_on(int sig)
{
	int saved = errno;

	kill(supervised, sig);
	errno = saved;
}

static void hold(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(how, &set, NULL);
}

void supervise_soon(void)
{
	hold(SIG_BLOCK);
}

bool supervise_asked(void)
{
	sigset_t pending;
	bool any = false;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		any |= sigismember(&pending, signals[i]) == 1;
	return any;
}

int supervise_child(pid_t pid)
{
	struct sigaction action = { .sa_handler = pass_on };
	siginfo_t info;
	int status;

	supervised = pid;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	hold(SIG_UNBLOCK);
	for (;;) {
		/* It is looked at before it is reaped: until then its number is nobody else's, and a signal harms none. */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT)) {
			if (errno == EINTR)
				continue;
			fail_errno("waiting for process %d", pid);
			return EXIT_FAILED;
		}
		if (info.si_pid == pid)
			break;
		waitpid(info.si_pid, NULL, 0);
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_IGN);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
