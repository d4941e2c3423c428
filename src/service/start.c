/* SPDX-License-Identifier: MIT */
#include "service/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service/child.h"

/* Nothing of the tool comes down to it, nor of the script that called that: a save would find it a pipe to outside. */
static void __attribute__((noreturn)) become(const char *line)
{
	static const int signals[] = { SIGPIPE, SIGXFSZ };	/* main.c ignores them */
	enum { DESCRIPTORS = 1024 };
	sigset_t none;

	for (int fd = 3; fd < DESCRIPTORS; fd++)
		close(fd);
	if (chdir("/"))
		_exit(126);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	_exit(127);
}

static void be_daemon(const char *line)
{
	int fd = open("/dev/null", O_RDONLY);

	if (fd > 0) {
		dup2(fd, 0);
		close(fd);
	}
	setsid();
	become(line);
}

void service_become(const struct service *s)
{
	become(s->start);
}

int service_start(const struct service *s, char *why, size_t cap)
{
	int status;
	pid_t pid;

	if (!s->start) {
		snprintf(why, cap, "it has no start= line");
		return -ENOENT;
	}
	pid = fork();
	if (!pid)
		be_daemon(s->start);
	if (pid < 0) {
		snprintf(why, cap, "fork: %s", strerror(errno));
		return -errno;
	}
	if (!child_ended(pid, now_ms() + s->settle * 1000LL, &status) || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return 0;
	if (WIFSIGNALED(status))
		snprintf(why, cap, "its start= line was ended by signal %d", WTERMSIG(status));
	else
		snprintf(why, cap, "its start= line ended with exit status %d", WEXITSTATUS(status));
	return -ECHILD;
}
