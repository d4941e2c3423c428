/* SPDX-License-Identifier: MIT */
/*
 * Runs a program and kills it at a chosen instant:
 *
 *   killer [options] -- PROGRAM …
 *     -c         only count its system call stops (with -E 1: its calls)
 *     -n N       kill at the Nth stop
 *     -x         count only the exits of calls that change something: the world is the same at all stops between two of
 *                them, so this sees every state once (looks.h tells which calls only look)
 *     -s SIGNAL  a signal other than 9
 *     -E ERRNO   do not kill, but let the Nth call fail (of all, or of those that -x counts): it is not executed and
 *                answers -ERRNO
 *     -u MICRO   no tracing: kill that long after the start
 *     -t MS      no longer than this in all (default 10000): then the program is killed and "hangs" printed
 *
 * Prints one line: stops=N last=NUMBER ended=killed|exited|hangs status=N (exit status, or 128 + signal). Exits 0 unless
 * it could not do its work. It follows no children, and lets a program that it kills die without anybody's help.
 */
#define _GNU_SOURCE
#include "looks.h"
#include "trace_arch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct options {
	long stop, micro, limit_ms;
	bool changes_only, count;
	int signal, error;
};

static pid_t program;
static volatile sig_atomic_t late;

static void on_alarm(int sig)
{
	(void)sig;
	late = 1;
	kill(program, SIGKILL);
}

/* The program waits for a byte, so that tracing begins before its first instruction. */
static int start(char **argv)
{
	int gate[2];
	char byte = 0;

	if (pipe2(gate, O_CLOEXEC))
		return -1;
	program = fork();
	if (program) {
		close(gate[0]);
		return gate[1];
	}
	close(gate[1]);
	if (read(gate[0], &byte, 1) == 1)
		execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static int report(long stops, long last, const char *ended, int status)
{
	printf("stops=%ld last=%ld ended=%s status=%d\n", stops, last, late ? "hangs" : ended,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

/* Sends the signal and lets go: what the program does about SIGTERM, and its end, are its own. */
static int strike(const struct options *o, bool traced)
{
	int status = 0;

	kill(program, o->signal);
	if (traced)
		ptrace(PTRACE_DETACH, program, 0, 0);
	while (waitpid(program, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int by_time(const struct options *o, int gate)
{
	struct timespec nap = { o->micro / 1000000, o->micro % 1000000 * 1000 };
	int status = 0;

	if (write(gate, "", 1) != 1)
		return 1;
	nanosleep(&nap, NULL);
	if (waitpid(program, &status, WNOHANG) == program)
		return report(0, -1, "exited", status);
	return report(0, -1, "killed", strike(o, false));
}

static int by_stop(const struct options *o, int gate)
{
	struct __ptrace_syscall_info info;
	long stops = 0, last = -1;
	bool running = false, failing = false, looks = false;
	int status = 0, pass = 0;

	if (ptrace(PTRACE_SEIZE, program, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC) ||
	    ptrace(PTRACE_INTERRUPT, program, 0, 0) || write(gate, "", 1) != 1) {
		perror("killer: seize");
		return 1;
	}
	for (;; ptrace(pass < 0 ? PTRACE_LISTEN : PTRACE_SYSCALL, program, 0, pass < 0 ? 0 : pass)) {
		if (waitpid(program, &status, __WALL) < 0) {
			if (errno == EINTR)
				continue;
			return 1;
		}
		if (WIFEXITED(status) || WIFSIGNALED(status))
			return report(stops, last, "exited", status);
		pass = 0;
		if (status >> 16 == PTRACE_EVENT_EXEC) {
			running = true;
			stops = -1; /* the end of execve comes next and is not counted */
		} else if (status >> 16 == PTRACE_EVENT_STOP) {
			pass = WSTOPSIG(status) == SIGTRAP ? 0 : -1;
		} else if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			pass = WSTOPSIG(status);
		}
		if (!running || WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, program, sizeof(info), &info) < 0)
			continue; /* just being killed */
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			last = (long)info.entry.nr;
			looks = looks_only((long)info.entry.nr, info.entry.args);
		} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
			looks_done((long)info.exit.rval);
		}
		if (o->changes_only && looks)
			continue;
		if ((o->changes_only || o->error) && info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			if (o->error && !o->count && stops + 1 == o->stop) {
				arch_skip_call(program);
				failing = true;
			}
			continue;
		}
		stops++;
		if (failing) {
			arch_set_result(program, -o->error);
			failing = false;
		} else if (!o->count && !o->error && stops == o->stop) {
			return report(stops, last, "killed", strike(o, true));
		}
	}
}

int main(int argc, char **argv)
{
	struct options o = { .signal = SIGKILL, .limit_ms = 10000 };
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval limit = { 0 };
	bool traced;
	int c, gate;

	while ((c = getopt(argc, argv, "+cn:xs:E:u:t:")) != -1)
		switch (c) {
		case 'c': o.count = true; break;
		case 'n': o.stop = atol(optarg); break;
		case 'x': o.changes_only = true; break;
		case 's': o.signal = atoi(optarg); break;
		case 'E': o.error = atoi(optarg); break;
		case 'u': o.micro = atol(optarg); break;
		case 't': o.limit_ms = atol(optarg); break;
		default: return 2;
		}
	traced = o.count || o.stop;
	limit.it_value = (struct timeval){ o.limit_ms / 1000, o.limit_ms % 1000 * 1000 };
	if (optind == argc || !(traced || o.micro)) {
		fprintf(stderr, "usage: killer [-c | -n N | -u MICRO] [-x] [-s SIGNAL] [-E ERRNO] [-t MS] -- PROGRAM …\n");
		return 2;
	}
	sigaction(SIGALRM, &action, NULL);
	gate = start(argv + optind);
	if (gate < 0 || program < 0)
		return 1;
	setitimer(ITIMER_REAL, &limit, NULL);
	return traced ? by_stop(&o, gate) : by_time(&o, gate);
}
