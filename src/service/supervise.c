/* SPDX-License-Identifier: MIT */
#include "service/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

#include "base/log.h"
#include "command.h"

static pid_t supervised;

static void pass_on(int sig)
{
	int saved = errno;

	kill(supervised, sig);
	errno = saved;
}

int supervise_child(pid_t pid)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT };
	struct sigaction action = { .sa_handler = pass_on };
	siginfo_t info;
	int status;

	supervised = pid;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
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
