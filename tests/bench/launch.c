// SPDX-License-Identifier: MIT
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

void launch_setup(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	// Whatever a shell left open belongs to another mount namespace; criu refuses to dump that.
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

int64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

pid_t workload_start(const char *program, const char *mode, long n, const char *out)
{
	char count[24], byte;
	char *argv[] = { (char *)program, (char *)mode, count, NULL };
	posix_spawn_file_actions_t actions;
	int ready[2];
	pid_t pid = -1;

	snprintf(count, sizeof(count), "%ld", n);
	if (pipe2(ready, O_CLOEXEC))
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ready[1], 3);
	if (posix_spawn(&pid, program, &actions, NULL, argv, environ))
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	close(ready[1]);
	if (pid > 0 && read(ready[0], &byte, 1) != 1) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

static off_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_size;
}

bool workload_ask(pid_t pid, const char *out, char *line, size_t size)
{
	off_t before = file_size(out);
	int64_t end = now_ns() + 10000000000LL;
	ssize_t got;
	int fd;

	*line = '\0';
	if (kill(pid, SIGUSR1))
		return false;
	while (file_size(out) == before) {
		if (now_ns() > end || reaped(pid))
			return false;
		usleep(1000);
	}
	fd = open(out, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : pread(fd, line, size - 1, before);
	if (fd >= 0)
		close(fd);
	line[got > 0 ? got : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return got > 0;
}

static pid_t spawn(char *const argv[], const char *log)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	err = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err ? -1 : pid;
}

int64_t tool_time(char *const argv[], const char *log)
{
	int64_t start = now_ns();
	pid_t pid = spawn(argv, log), ended;
	int status;

	if (pid < 0)
		return -1;
	// Orphans of the workload end while the tool runs. As any init, reap them at once: a tool may wait
	// for their PIDs to be free.
	do
		ended = waitpid(-1, &status, 0);
	while (ended > 0 && ended != pid);
	return ended == pid && status == 0 ? now_ns() - start : -1;
}

// The most that was resident. is_fork: but for what comes from files, which the process that it was forked
// from has counted.
static long high_water_kib(pid_t pid, bool is_fork)
{
	char path[64], line[256];
	long kib = -1, file = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %ld", &kib) != 1 && sscanf(line, "RssFile: %ld", &file) == 1)
			break;
	if (status)
		fclose(status);
	return is_fork ? kib - file : kib;
}

// Runs up to its exit: the address space is still there in the stop that PTRACE_O_TRACEEXIT gives. What
// an agent, the first child that it forks, takes comes on top; the program's text is in memory once.
long tool_peak_kib(char *const argv[], const char *log, bool has_agent)
{
	const long options = PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
	pid_t pid = fork(), agent = 0;
	long kib = 0;
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);
		int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
			_exit(127);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(argv[0], argv);
		_exit(127);
	}
	for (pid_t got; pid > 0 && (got = waitpid(-1, &status, 0)) > 0;) {
		int deliver = 0;

		if (got == pid && !WIFSTOPPED(status))
			return WIFEXITED(status) && WEXITSTATUS(status) == 0 && kib > 0 ? kib : -1;
		if (!WIFSTOPPED(status) || (got != pid && !has_agent))
			continue;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
			kib += high_water_kib(got, got == agent);
		} else if (got != pid && !agent) {
			agent = got;
			ptrace(PTRACE_SETOPTIONS, agent, 0, options);
		} else if (WSTOPSIG(status) == SIGTRAP && !(status >> 16)) {
			ptrace(PTRACE_SETOPTIONS, pid, 0, options | (has_agent ? PTRACE_O_TRACEFORK : 0));
		} else if (!(status >> 16)) {
			deliver = WSTOPSIG(status);
		}
		ptrace(PTRACE_CONT, got, 0, deliver);
	}
	return -1;
}

bool reaped(pid_t pid)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return kill(pid, 0) && errno == ESRCH;
}

// Orphans come to the subreaper, so killing the children until there are none gets everybody.
void clear_away(void)
{
	for (;;) {
		FILE *children = fopen("/proc/thread-self/children", "re");
		int pid;

		while (children && fscanf(children, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		if (children)
			fclose(children);
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			return;
	}
}
