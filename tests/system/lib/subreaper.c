/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "subreaper.h"

#include "fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ENDINGS = 4096 };

static struct {
	pid_t pid;
	int status;
	long peak;
} endings[MAX_ENDINGS];
static int ending_count;
static int64_t deadline;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void subreaper_init(unsigned seconds_until_deadline)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	deadline = now_ms() + seconds_until_deadline * 1000;
}

bool deadline_passed(void)
{
	return now_ms() > deadline;
}

pid_t launch(const struct launch *what)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (what->new_session)
		setsid();
	for (int i = 0; i < 3; i++)
		if (dup2(what->standard[i], i) < 0)
			_exit(126);
	if (syscall(SYS_close_range, 3, ~0U, 0)) /* since Linux 5.9 */
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
	if (what->directory && chdir(what->directory))
		_exit(126);
	execv(what->arguments[0], (char *const *)what->arguments);
	perror(what->arguments[0]);
	_exit(127);
}

static void reap_for(long nap_ms)
{
	struct rusage used;
	int status;
	bool any = false;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
		any = true;
		if (ending_count < MAX_ENDINGS) {
			endings[ending_count].pid = pid;
			endings[ending_count].peak = used.ru_maxrss;
			endings[ending_count++].status = status;
		}
	}
	if (any)
		return;
	sigset_t child;
	struct timespec nap = {0, nap_ms * 1000000};

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigtimedwait(&child, NULL, &nap);
}

void reap(void)
{
	reap_for(1);
}

void await_ending(void)
{
	reap_for(50);
}

bool has_ended(pid_t pid, int *status)
{
	for (int i = 0; i < ending_count; i++)
		if (endings[i].pid == pid) {
			if (status)
				*status = endings[i].status;
			return true;
		}
	return false;
}

void forget_endings(void)
{
	ending_count = 0;
}

int run_to_end(const struct launch *what, long *peak)
{
	pid_t pid = launch(what);
	int status;

	while (!has_ended(pid, &status)) {
		await_ending();
		if (deadline_passed()) {
			kill(pid, SIGKILL);
			while (!has_ended(pid, &status))
				reap();
			return -1;
		}
	}
	for (int i = 0; i < ending_count; i++)
		if (endings[i].pid == pid)
			*peak = endings[i].peak;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool process_exists(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

int kill_all_descendants(void)
{
	pid_t pids[MAX_TREE];
	int total = 0;

	for (;;) {
		int count = tree_list(getpid(), pids);

		if (count == 1)
			return total;
		if (total == 0)
			total = count - 1;
		for (int i = 1; i < count; i++)
			kill(pids[i], SIGKILL);
		reap();
	}
}

long cached_kib(const char *path)
{
	static unsigned char resident[1 << 16];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE), kib = 0;
	size_t size = fd < 0 || fstat(fd, &st) ? 0 : st.st_size;
	void *map = size ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (map != MAP_FAILED && (size - 1) / page < sizeof resident && mincore(map, size, resident) == 0)
		for (size_t i = 0; i <= (size - 1) / page; i++)
			kib += (resident[i] & 1) * page / 1024;
	if (map != MAP_FAILED)
		munmap(map, size);
	if (fd >= 0)
		close(fd);
	return kib;
}

long killed_for_memory(void)
{
	FILE *counters = fopen("/proc/vmstat", "re");
	char name[64];
	long value;

	while (counters && fscanf(counters, "%63s %ld", name, &value) == 2)
		if (strcmp(name, "oom_kill") == 0)
			return value;
	return 0;
}
