/* SPDX-License-Identifier: MIT */
/*
 * subreaper COMMAND …: runs COMMAND, adopts and reaps all that its descendants leave behind, and ends with its status.
 * Without it an orphan of the tests would wait for a PID 1 that may be slow to reap, and its number would stay taken.
 * What is still alive when COMMAND has ended is ended too: tests start nothing that may outlive them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void end_children(void)
{
	char path[64], list[4096];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(list, sizeof(list), f))
		for (char *p = strtok(list, " "); p; p = strtok(NULL, " "))
			kill(atoi(p), SIGKILL);
	fclose(f);
}

static volatile sig_atomic_t told_to_end;
static pid_t child;

/*
 * A whole group is told to end, as a rule, and the command tidies up already: a second signal would end it in the midst of that.
 * So it gets one only when it is there a while later, and then its time is over.
 */
static void on_signal(int sig)
{
	static const int then[] = { SIGTERM, SIGKILL };
	static unsigned int alarms;

	if (sig == SIGALRM) {
		kill(child, then[alarms++ > 0]);
		told_to_end = alarms > 1;
	}
	alarm(alarms ? 5 : 1);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct timespec nap = { 0, 2000000 };
	int status = 0, result = 1;
	pid_t ended;

	if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 2;
	child = fork();
	if (!child) {
		/* What the caller happens to have open would be in every victim too. */
		syscall(SYS_close_range, 3, ~0U, 0);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	/* The command decides when to end; a Ctrl-C reaches it too. */
	signal(SIGINT, SIG_IGN);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	do {
		ended = waitpid(-1, &status, 0);
		/* Something adopted that nobody killed: worth a line in the log of the test. */
		if (ended > 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			fprintf(stderr, "# pid %d ended by signal %d\n", (int)ended, WTERMSIG(status));
	} while (ended != child && !told_to_end && (ended > 0 || errno == EINTR));
	if (ended == child)
		result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	/* Ending one may hand its children to us: again until nobody is left. */
	while ((ended = waitpid(-1, &status, WNOHANG)) >= 0)
		if (!ended) {
			end_children();
			nanosleep(&nap, NULL);
		}
	return result;
}
