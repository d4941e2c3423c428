/* SPDX-License-Identifier: MIT */
#include "service/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void nap_ms(int *nap)
{
	enum { LONGEST = 32 };

	*nap = !*nap ? 1 : *nap < LONGEST ? *nap * 2 : LONGEST;
	nanosleep(&(const struct timespec){ 0, *nap * 1000000L }, NULL);
}

static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
static volatile sig_atomic_t told_to_end;

/* pass: the child gets SIGTERM once we are told to end */
static bool wait_until(pid_t pid, int64_t deadline, bool pass, int *status)
{
	for (int nap = 0;; nap_ms(&nap)) {
		pid_t ended = waitpid(pid, status, WNOHANG);

		if (ended == pid)
			return true;
		if (ended < 0 && errno != EINTR) {
			*status = EXIT_FAILED << 8;	/* somebody else has waited for it: never a success by guess */
			return true;
		}
		if (pass && told_to_end) {
			kill(pid, SIGTERM);
			pass = false;
		}
		if (now_ms() >= deadline)
			return false;
	}
}

bool child_ended(pid_t pid, int64_t deadline, int *status)
{
	return wait_until(pid, deadline, false, status);
}

static void on_end(int sig)
{
	told_to_end = sig;
}

void child_heed_signals(void)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (signal(ends[i], on_end) == SIG_IGN)
			signal(ends[i], SIG_IGN);
}

int child_told_to_end(void)
{
	return told_to_end;
}

/* What we heed, or hold back, ends a command as ever. */
static void heed_none(void)
{
	struct sigaction action;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (!sigaction(ends[i], NULL, &action) && action.sa_handler == on_end)
			signal(ends[i], SIG_DFL);
}

static int wait_for_command(pid_t pid, int64_t deadline, struct said *said)
{
	enum { END_MS = 10000 };
	int status;
	bool ended;

	if (!wait_until(pid, deadline, true, &status)) {
		said->killed = true;
		kill(pid, SIGKILL);
		/* one that waits for a device in the kernel does not end, and is not to keep a shutdown or a boot */
		ended = child_ended(pid, now_ms() + END_MS, &status);
		snprintf(said->first, sizeof(said->first), "it took too long (timeout=)%s", ended ? "" : ", and has not yet ended");
		return EXIT_FAILED;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	said->killed = true;
	snprintf(said->first, sizeof(said->first), "tinyckpt was ended by signal %d", WTERMSIG(status));
	return EXIT_FAILED;
}

int child_command(int (*run)(int argc, char **argv), char **argv, int64_t deadline, struct said *said)
{
	struct said *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int argc = 0, code = EXIT_FAILED;
	pid_t pid;

	*said = (struct said){ 0 };
	if (shared == MAP_FAILED) {
		snprintf(said->first, sizeof(said->first), "out of memory");
		return code;
	}
	while (argv[argc])
		argc++;
	pid = fork();
	if (!pid) {
		heed_none();
		log_keep(shared);
		_exit(run(argc, argv));
	}
	if (pid < 0)
		snprintf(shared->first, sizeof(shared->first), "fork: %s", strerror(errno));
	else
		code = wait_for_command(pid, deadline, shared);
	*said = *shared;
	said->first[sizeof(said->first) - 1] = '\0';
	munmap(shared, sizeof(*shared));
	return code;
}
