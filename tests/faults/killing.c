/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "killing.h"
#include "looks.h"
#include "trace_arch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t program, traced; /* which is the program, or its agent */
static volatile sig_atomic_t late;
static long failed = -1; /* the number of the call that was made to fail */

static void on_alarm(int sig)
{
	(void)sig;
	late = 1;
	kill(program, SIGKILL);
}

/* The program waits for a byte, so that tracing begins before its first instruction. */
static int start(char **argv, bool filter)
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
	signal(SIGINT, SIG_DFL);	/* which a shell has its background jobs ignore */
	if (read(gate[0], &byte, 1) == 1 && (!filter || !looks_install_filter()))
		execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static void end_as(struct killed *result, const char *ended, int status)
{
	result->ended = late ? "hangs" : ended;
	result->failed = failed;
	result->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Its threads that are traced have to be waited for before it can be. */
static int end_of_program(void)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(-1, &status, __WALL);
	while ((pid != program && pid > 0) || (pid < 0 && errno == EINTR));
	return status;
}

/* Another thread: it is led through the filter, which would else refuse what it does, and never counted. */
static void pass_by(pid_t tid, int status)
{
	int sig = WIFSTOPPED(status) && !(status >> 16) ? WSTOPSIG(status) : 0;

	if (WIFSTOPPED(status))
		ptrace(PTRACE_CONT, tid, 0, sig);
}

/* What the program's end does to its agent, it has done by now: kill it, or let it finish. */
static void let_agent_go(void)
{
	if (ptrace(PTRACE_DETACH, traced, 0, 0) && errno == ESRCH)
		waitpid(traced, NULL, __WALL);
}

/* Sends the signal and lets go: what the program does about SIGTERM, and its end, are its own. */
static int strike(const struct killing *o, bool at_stop)
{
	int status;

	kill(program, o->signal);
	if (at_stop && traced == program)
		ptrace(PTRACE_DETACH, program, 0, 0);
	status = end_of_program();
	if (at_stop && traced != program)
		let_agent_go();
	return status;
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

/* Until the time has come, or the program has ended by itself. */
static int by_time(const struct killing *o, int gate, struct killed *result)
{
	struct timespec nap = { o->micro / 1000000, o->micro % 1000000 * 1000 };
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, program, 0), .events = POLLIN };
	int status = 0;

	if (end.fd < 0 || write(gate, "", 1) != 1)
		return -1;
	ppoll(&end, 1, &nap, NULL);
	close(end.fd);
	if (waitpid(program, &status, WNOHANG) == program)
		end_as(result, "exited", status);
	else
		end_as(result, "killed", strike(o, false));
	return 0;
}

/* At a stop on the entry of a call that counts and is the one: the call is skipped, and its answer is ours. */
static void make_it_fail(const struct killing *o, long number)
{
	arch_skip_call(traced);
	arch_set_result(traced, -o->error);
	failed = number;
}

/* The agent, the first child of what is traced, stands at its beginning; who made it runs on untraced. */
static int to_agent(long events)
{
	unsigned long pid;
	int status;

	if (ptrace(PTRACE_GETEVENTMSG, traced, 0, &pid) || waitpid((pid_t)pid, &status, __WALL) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, events) || ptrace(PTRACE_DETACH, traced, 0, 0)) {
		perror("agent");
		return -1;
	}
	traced = (pid_t)pid;
	return 0;
}

static int by_stop(const struct killing *o, int gate, struct killed *result)
{
	long how = o->filter ? PTRACE_CONT : PTRACE_SYSCALL;
	long events = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | (o->filter ? PTRACE_O_TRACESECCOMP : 0) |
		      (o->filter ? PTRACE_O_TRACECLONE : 0) | (o->agent ? PTRACE_O_TRACEFORK : 0);
	bool other = false, anew = false;
	bool running = false, failing = false;
	int status = 0, pass = 0, depth = 0;

	if (ptrace(PTRACE_SEIZE, program, 0, events) || ptrace(PTRACE_INTERRUPT, program, 0, 0) ||
	    write(gate, "", 1) != 1) {
		perror("seize");
		return -1;
	}
	traced = program;
	for (;; other ? 0 : ptrace(pass < 0 ? PTRACE_LISTEN : failing ? PTRACE_SYSCALL : how, traced, 0, pass < 0 ? 0 : pass)) {
		struct __ptrace_syscall_info info;
		pid_t pid = waitpid(-1, &status, __WALL);
		int event, sig;

		other = pid != traced;
		if (pid < 0 && errno != EINTR)
			return -1;
		if (pid == program && other && !WIFSTOPPED(status)) {	/* an agent that stays has no more to do with it */
			end_as(result, "exited", status);
			if (!ptrace(PTRACE_INTERRUPT, traced, 0, 0) && waitpid(traced, NULL, __WALL) == traced)
				let_agent_go();
			return 0;
		}
		if (pid > 0 && other)
			pass_by(pid, status);
		if (other)
			continue;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			end_as(result, "exited", traced == program ? status : end_of_program());
			return 0;
		}
		event = status >> 16;
		sig = WSTOPSIG(status);
		pass = 0;
		if (event == PTRACE_EVENT_FORK && depth < o->agent) {
			/* from here on the agent is looked at, and in the end none of its children */
			if (to_agent(++depth < o->agent ? events : events & ~PTRACE_O_TRACEFORK))
				return -1;
			continue;
		}
		if (event == PTRACE_EVENT_EXEC)
			running = true;
		else if (event == PTRACE_EVENT_STOP)
			pass = sig == SIGTRAP ? 0 : -1; /* a group stop is waited out */
		else if (event != PTRACE_EVENT_SECCOMP && sig != (SIGTRAP | 0x80))
			pass = sig;
		if (!running || depth < o->agent || (event != PTRACE_EVENT_SECCOMP && sig != (SIGTRAP | 0x80)))
			continue;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, traced, sizeof(info), &info) < 0)
			continue; /* just being killed */
		if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
			if (failing)
				arch_set_result(traced, -o->error);
			failing = false;
			/* between ERESTARTSYS and ERESTART_RESTARTBLOCK: it is made anew, undisturbed, or it would be for ever */
			anew = info.exit.rval <= -512 && info.exit.rval >= -516;
			if (o->changes_only || o->error || result->last < 0)
				continue; /* the exit of execve is none of the program's own */
		} else {
			/* a seccomp stop has the same numbers at the same places */
			result->last = (long)info.entry.nr;
			if (o->changes_only && looks_only(traced, result->last, info.entry.args))
				continue;
			if (o->error && never_fails(result->last))
				continue;
			if (o->bother && !anew)
				syscall(SYS_tkill, traced, o->bother);
			anew = false;
		}
		if (++result->stops != o->stop || o->count)
			continue;
		if (!o->error) {
			end_as(result, "killed", strike(o, true));
			return 0;
		}
		make_it_fail(o, result->last);
		failing = true;
	}
}

int killing_options(int argc, char **argv, struct killing *k)
{
	int c;

	*k = (struct killing){ .signal = SIGKILL, .limit_ms = 10000 };
	while ((c = getopt(argc, argv, "+cn:axfs:i:E:u:t:")) != -1)
		switch (c) {
		case 'c': k->count = true; break;
		case 'a': k->agent++; break;
		case 'n': k->stop = atol(optarg); break;
		case 'x': k->changes_only = true; break;
		case 'f': k->changes_only = k->filter = true; break;
		case 's': k->signal = atoi(optarg); break;
		case 'i': k->bother = atoi(optarg); break;
		case 'E': k->error = atoi(optarg); break;
		case 'u': k->micro = atol(optarg); break;
		case 't': k->limit_ms = atol(optarg); break;
		default: optind = argc;
		}
	if (optind < argc)
		return optind;
	fprintf(stderr, "usage: %s [-c | -n N | -u MICRO] [-a] [-x|-f] [-s SIGNAL] [-i SIGNAL] [-E ERRNO] [-t MS] -- PROGRAM …\n", argv[0]);
	return -1;
}

int killing_run(const struct killing *o, char **argv, struct killed *result)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval limit = { .it_value = { o->limit_ms / 1000, o->limit_ms % 1000 * 1000 } }, off = { 0 };
	long started;
	int gate, err;

	*result = (struct killed){ .last = -1 };
	late = 0;
	failed = -1;
	sigaction(SIGALRM, &action, NULL);
	gate = start(argv, o->filter);
	if (gate < 0 || program < 0)
		return -1;
	setitimer(ITIMER_REAL, &limit, NULL);
	started = now_us();
	err = o->count || o->stop ? by_stop(o, gate, result) : by_time(o, gate, result);
	setitimer(ITIMER_REAL, &off, NULL);
	result->micros = now_us() - started;
	close(gate);
	return err;
}

void killed_print(const struct killed *r)
{
	printf("stops=%ld last=%ld failed=%ld ended=%s status=%d micros=%ld\n", r->stops, r->last, r->failed, r->ended,
	       r->status, r->micros);
}
