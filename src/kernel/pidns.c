/* SPDX-License-Identifier: MIT */
#include "kernel/pidns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"

enum { ALIVE = -1 };	/* in place of a code */

static pid_t child;
static int told = -1;	/* the pipe from child to caller; this process's end */

/* The kernel shows the numbers of whoever makes it. */
static int own_proc(void)
{
	CLEANUP_CLOSE int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	int fd = -1;

	if (context >= 0 && !syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno("/proc of a PID namespace");
	proc_use(fd);
	return 0;
}

static void pass_on(int sig)
{
	kill(child, sig);
}

/* Until the child tells its code, or ends.  at_once: it lives on, and is of no more concern. */
static __attribute__((noreturn)) void stay_behind(bool at_once)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT };
	const struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	int code = ALIVE, status = 0;

	while (!read_all(told, &code, sizeof(code)) && code == ALIVE)
		for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
			sigaction(signals[i], &action, NULL);
	if (code != ALIVE && at_once)
		_exit(code);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		_exit(code != ALIVE ? code : 128 + WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

/*
 * In here the caller has no number to tell its death by, but it alone has the other end, which the kernel closes before it looks
 * whom to signal.  So if it is open still after a change of what that is to send, the change was in time.
 */
static void end_unless_caller_lives(void)
{
	struct pollfd other = { .fd = told };

	__sync_synchronize();
	if (poll(&other, 1, 0) < 0 || other.revents & POLLERR)
		_exit(1);
}

/* Into the namespace that children are to have: only a child returns with 0. */
static int follow(bool at_once)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return fail_errno("pipe");
	child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child < 0)
		return fail_errno("clone");
	told = ends[child ? 0 : 1];
	close(ends[child ? 1 : 0]);
	if (child)
		stay_behind(at_once);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	end_unless_caller_lives();
	return own_proc();
}

/* The last of those that a process has, from its own namespace outward to this one. */
static pid_t innermost(pid_t pid)
{
	char text[4096], *line;

	if (proc_readf(text, sizeof(text), "/proc/%d/status", pid) <= 0 || !(line = strstr(text, "\nNSpid:")))
		return 0;
	line += strlen("\nNSpid:");
	line[strcspn(line, "\n")] = '\0';
	line = strrchr(line, '\t');
	return line ? atoi(line) : 0;
}

struct search {
	pid_t inside, found;
	uint64_t from, to;
};

static int look(void *arg, int pid)
{
	struct search *search = arg;
	char own[40], theirs[40];
	struct proc_stat st;

	if (proc_stat(pid, 0, &st) || st.start_time < search->from || st.start_time > search->to || innermost(pid) != search->inside)
		return 0;
	if (proc_link(own, sizeof(own), "/proc/self/ns/pid") > 0 && proc_link(theirs, sizeof(theirs), "/proc/%d/ns/pid", pid) > 0 &&
	    strcmp(own, theirs))
		search->found = pid;
	return 0;
}

pid_t pidns_find(pid_t inside, uint64_t from, uint64_t to)
{
	struct search search = { .inside = inside, .from = from, .to = to };

	return proc_numbers("/proc", look, &search) ? 0 : search.found;
}

int pidns_enter(pid_t *pid)
{
	char own[40], theirs[40], path[32];
	CLEANUP_CLOSE int fd = -1;
	pid_t inside;
	int err = proc_check();

	if (err)
		return err;
	if (proc_link(own, sizeof(own), "/proc/self/ns/pid") < 0 || proc_link(theirs, sizeof(theirs), "/proc/%d/ns/pid", *pid) < 0 ||
	    !strcmp(own, theirs))
		return 0;	/* or there is no such process, which others say */
	inside = innermost(*pid);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", *pid);
	fd = proc_open(path, O_RDONLY);
	if (!inside || fd < 0 || setns(fd, CLONE_NEWPID))
		return fail_errno("pid %d: its PID namespace cannot be entered", *pid);
	err = follow(false);
	*pid = inside;
	return err;
}

int pidns_make(void)
{
	return unshare(CLONE_NEWPID) ? fail_errno("a PID namespace (CONFIG_PID_NS)") : follow(true);
}

void pidns_tell(int code)
{
	if (told >= 0)
		(void)write_all(told, &code, sizeof(code));
}

void pidns_stay(void)
{
	prctl(PR_SET_PDEATHSIG, 0);
	end_unless_caller_lives();	/* or its signal may be on the way, to come when the tree has begun to run */
}

void pidns_alive(void)
{
	pidns_tell(ALIVE);
}

static void close_all(void)
{
	struct rlimit limit;

	if (!syscall(SYS_close_range, 0, ~0U, 0) || !IS_ON_OLD_KERNELS || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	for (rlim_t fd = 0; fd < limit.rlim_cur; fd++)
		close((int)fd);
}

int pidns_end(int code)
{
	pidns_tell(code);
	if (told >= 0)	/* what the caller has open is not ours to keep */
		close_all();
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
	return code;
}

pid_t pidns_outside(pid_t pid)
{
	CLEANUP_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	CLEANUP_CLOSE int info = -1;
	char path[40], text[256], *line;
	size_t len = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	info = pidfd < 0 ? -1 : open_file(path, O_RDONLY);	/* of the /proc that all see */
	if (info < 0 || read_upto(info, text, sizeof(text) - 1, &len))
		return 0;
	text[len] = '\0';
	line = strstr(text, "\nPid:");
	return line ? atoi(line + strlen("\nPid:")) : 0;
}
