/* SPDX-License-Identifier: MIT */
/*
 * A workload of two threads, one of which ends by itself (exit(2), not exit_group(2)) at an instant of a save:
 *
 *   leaver leader|thread REQUEST end|leave IMAGE TINYCKPT
 *
 * REQUEST: it ends while the tool stands before its ptrace(2) request of that number to it, and the tool goes on when it has
 * ended. The save must succeed without waiting for who is gone, and the other thread go on: after a restore (end), or where
 * it is (leave, that is with --leave-running).
 * Exit status: 0, or 1 with the reason on standard output; 2 usage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, SAVE_MS = 5000 };

/* The workload's; from outside they are read and written where they are here. */
static volatile struct work {
	pid_t leaver, other;
	int leave, wrong;
	long rounds;
} work;

static bool leader_leaves;

static void nap(void)
{
	struct timespec time = { 0, 1000000 };

	if (nanosleep(&time, NULL))
		work.wrong = errno;
}

static void *wait_to_leave(void *arg)
{
	work.leaver = (pid_t)syscall(SYS_gettid);
	while (!work.leave)
		;	/* in no system call: it is to end where it is running */
	syscall(SYS_exit, 0);
	return arg;
}

static void *go_on(void *arg)
{
	work.other = (pid_t)syscall(SYS_gettid);
	for (;;) {
		nap();
		work.rounds++;
	}
	return arg;
}

static void workload(void)
{
	int null = open("/dev/null", O_RDWR);
	pthread_t thread;

	setsid();
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	pthread_create(&thread, NULL, leader_leaves ? go_on : wait_to_leave, NULL);
	(leader_leaves ? wait_to_leave : go_on)(NULL);
}

static bool look(pid_t pid, struct work *copy)
{
	struct iovec own = { copy, sizeof(work) }, theirs = { (void *)(uintptr_t)&work, sizeof(work) };

	return process_vm_readv(pid, &own, 1, &theirs, 1, 0) == sizeof(work);
}

/* 0: there is none. */
static char state(pid_t pid, pid_t tid)
{
	char path[64], text[512], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	end = strrchr(text, ')');
	return end ? end[2] : 0;
}

static bool has_left(pid_t pid, pid_t tid)
{
	char now = state(pid, tid);

	return !now || now == 'Z' || now == 'X';
}

static void make_leave(pid_t pid, pid_t tid)
{
	int one = 1;
	struct iovec own = { &one, sizeof(one) }, theirs = { (void *)(uintptr_t)&work.leave, sizeof(one) };

	process_vm_writev(pid, &own, 1, &theirs, 1, 0);
	for (int ms = 0; !has_left(pid, tid) && ms < PATIENCE_MS; ms++)
		nap();
}

static int start(char *const argv[])
{
	pid_t pid = fork();

	if (pid)
		return pid;
	raise(SIGSTOP);
	execv(argv[0], argv);
	_exit(127);
}

/* Its exit status; -1: it was killed, having taken too long. */
static int end_of(pid_t tool)
{
	int status = 0;

	for (int ms = 0; !waitpid(tool, &status, WNOHANG); ms++) {
		nap();
		if (ms >= PATIENCE_MS)
			kill(tool, SIGKILL);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The tool's exit status; *left: the instant came. */
static int save(char *const argv[], unsigned long request, pid_t pid, pid_t leaver, bool *left)
{
	pid_t tool = start(argv);
	int status;

	if (waitpid(tool, &status, WUNTRACED) != tool ||
	    ptrace(PTRACE_SEIZE, tool, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) || kill(tool, SIGCONT))
		return -1;
	for (;;) {
		struct __ptrace_syscall_info info;
		int sig, pass = 0;
		bool ended;

		if (waitpid(tool, &status, __WALL) != tool)
			return -1;
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		sig = WSTOPSIG(status);
		ended = *left;
		if (sig == (SIGTRAP | 0x80) && ptrace(PTRACE_GET_SYSCALL_INFO, tool, sizeof(info), &info) > 0 &&
		    info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_ptrace && info.entry.args[0] == request &&
		    (pid_t)info.entry.args[1] == leaver) {
			make_leave(pid, leaver);
			*left = true;
		} else if (!(status >> 16) && sig != (SIGTRAP | 0x80)) {
			pass = sig;
		}
		if (*left && !ended) {	/* nothing more is to be seen, and time counts */
			ptrace(PTRACE_DETACH, tool, 0, 0);
			return end_of(tool);
		}
		ptrace(PTRACE_SYSCALL, tool, 0, pass);
	}
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

/* then: as it was before */
static bool goes_on(pid_t pid, const struct work *then)
{
	struct work now = *then;

	for (int ms = 0; now.rounds < then->rounds + 10 && ms < PATIENCE_MS; ms++) {
		nap();
		look(then->other, &now);
	}
	if (now.rounds < then->rounds + 10)
		printf("the other thread does not go on: %ld rounds\n", now.rounds - then->rounds);
	else if (now.wrong)
		printf("its nanosleep said: %s\n", strerror(now.wrong));
	else if (!has_left(pid, then->leaver) || has_left(pid, then->other))
		printf("who left is in state %c, the other in %c\n", state(pid, then->leaver) ?: '-', state(pid, then->other) ?: '-');
	else
		return true;
	return false;
}

int main(int argc, char **argv)
{
	char *image = argv[4], pid_text[16];
	char *save_and_end[] = { argv[5], "save", "-o", image, pid_text, NULL };
	char *save_only[] = { argv[5], "save", "--leave-running", "-o", image, pid_text, NULL };
	char *restore[] = { argv[5], "restore", "-d", image, NULL };
	bool leave = argc == 6 && !strcmp(argv[3], "leave"), left = false, good;
	struct work seen = { 0 };
	int status = 0;
	long began;
	pid_t pid, tool;

	if (argc != 6)
		return 2;
	leader_leaves = !strcmp(argv[1], "leader");
	setvbuf(stdout, NULL, _IOLBF, 0);
	pid = fork();
	if (!pid)
		workload();
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	for (int ms = 0; (!look(pid, &seen) || !seen.leaver || !seen.rounds) && ms < PATIENCE_MS; ms++)
		nap();
	began = now_ms();
	status = save(leave ? save_only : save_and_end, strtoul(argv[2], NULL, 0), pid, seen.leaver, &left);
	began = now_ms() - began;
	good = !status && left && began < SAVE_MS;
	if (!good)
		printf("save: exit status %d after %ld ms, the instant %s\n", status, began, left ? "came" : "did not come");
	if (good && !leave) {
		waitpid(pid, NULL, 0);
		tool = start(restore);
		waitpid(tool, NULL, WUNTRACED);
		kill(tool, SIGCONT);
		status = end_of(tool);
		good = !status;
		if (!good)
			printf("restore: exit status %d\n", status);
	}
	good = good && goes_on(pid, &seen);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return !good;
}
