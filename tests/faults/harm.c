/* SPDX-License-Identifier: MIT */
/*
 * The negative control: does to the victim, on purpose, what a careless tool might do to it.
 *
 *   harm WHAT PID      one of: register flag vector redzone mask mapping descriptor eintr early swallow memory stop kill
 *
 * Exit status 0: the harm was done, and whoever watches must find it. 1: it could not be done. 3: there is nothing of the
 * kind on this architecture.
 */
#define _GNU_SOURCE
#include "trace_arch.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_mmap2
#define SYS_mmap2 SYS_mmap
#endif

static pid_t thread_named(pid_t pid, const char *name)
{
	char path[300], comm[32] = "";
	struct dirent *e;
	pid_t found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", pid, e->d_name);
		f = isdigit((unsigned char)*e->d_name) ? fopen(path, "re") : NULL;
		if (f && fgets(comm, sizeof(comm), f) && !strncmp(comm, name, strlen(name)))
			found = atoi(e->d_name);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

/*
 * Ends in a stop that is not a signal's delivery, so that nothing is lost but what is taken on purpose. Returns 1 when
 * signals had to be let through first: the thread may then stand at the very start of a handler, where all that is
 * worth harming lies in the signal frame already.
 */
static int stop_thread(pid_t tid)
{
	int status, passed = 0;

	if (ptrace(PTRACE_INTERRUPT, tid, 0, 0))
		return -1;
	for (;;) {
		if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			return -1;
		if (status >> 16 == PTRACE_EVENT_STOP)
			return passed;
		ptrace(PTRACE_CONT, tid, 0, WSTOPSIG(status));
		passed = 1;
	}
}

/* What a handler was just entered with is harmed unnoticed. The threads that loop have SIGRTMIN blocked there, and only there. */
static int in_handler(pid_t tid)
{
	uint64_t mask;

	return ptrace(PTRACE_GETSIGMASK, tid, sizeof(mask), &mask) || mask >> (SIGRTMIN - 1) & 1;
}

/* Inside of a pinned loop or of a system call, as wanted. */
static int stop_where(pid_t tid, int in_loop)
{
	struct timespec nap = { 0, 300000 };

	for (int i = 0; i < 10000; i++) { /* a busy machine is rarely met in the loop */
		int stopped = stop_thread(tid);

		if (stopped < 0)
			return -1;
		if (!stopped && arch_in_user_loop(tid) == in_loop && !(in_loop && in_handler(tid)))
			return 0;
		ptrace(PTRACE_CONT, tid, 0, 0);
		nanosleep(&nap, NULL);
	}
	return -1;
}

static int block_a_signal(pid_t tid)
{
	uint64_t mask;

	if (ptrace(PTRACE_GETSIGMASK, tid, sizeof(mask), &mask))
		return -1;
	mask |= 1ULL << (SIGUSR1 - 1);
	return ptrace(PTRACE_SETSIGMASK, tid, sizeof(mask), &mask) ? -1 : 0;
}

static int leave_mapping(pid_t tid)
{
	long result = -1, argument[6] = { 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 };

	return arch_inject(tid, SYS_mmap2, argument, &result) || (result < 0 && result > -4096) ? -1 : 0;
}

static int leave_descriptor(pid_t tid)
{
	long result = -1, argument[6] = { 0 };

	return arch_inject(tid, SYS_dup, argument, &result) || result < 0 ? -1 : 0;
}

static int swallow(pid_t tid)
{
	int status;

	for (;;) {
		ptrace(PTRACE_CONT, tid, 0, 0);
		if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			return -1;
		if (WSTOPSIG(status) == SIGRTMIN && !(status >> 16))
			return 0;
	}
}

/* One byte in the middle of the victim's shared anonymous memory, which it keeps a checksum of. */
static int change_memory(pid_t pid)
{
	unsigned long from, to, best = 0, size = 0;
	char path[64], line[256], rights[8];
	unsigned char byte;
	int fd, result = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && strstr(line, "/dev/zero") && to - from > size) {
			best = from;
			size = to - from;
		}
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (best && pread(fd, &byte, 1, (off_t)(best + size / 2)) == 1) {
		byte ^= 1;
		result = pwrite(fd, &byte, 1, (off_t)(best + size / 2)) == 1 ? 0 : -1;
	}
	close(fd);
	return result;
}

static int interrupt_call(pid_t tid)
{
	return arch_end_call(tid, -EINTR);
}

static int end_wait_early(pid_t tid)
{
	return arch_end_call(tid, -ETIMEDOUT);
}

static int stop_process(pid_t pid)
{
	return kill(pid, SIGSTOP);
}

static int kill_process(pid_t pid)
{
	return kill(pid, SIGKILL);
}

enum where { LOOP, CALL, ANYWHERE };

/* Without a thread, the harm is done to the process. */
static const struct harm {
	const char *name, *thread;
	enum where where;
	int (*inflict)(pid_t whom);
} harms[] = {
	{ "register", "registers", LOOP, arch_flip_register },
	{ "redzone", "registers", LOOP, arch_flip_red_zone },
	{ "flag", "flags", LOOP, arch_flip_flag },
	{ "vector", "vectors", LOOP, arch_flip_vector },
	{ "mask", "sleep", CALL, block_a_signal },
	{ "mapping", "registers", LOOP, leave_mapping },
	{ "descriptor", "registers", LOOP, leave_descriptor },
	{ "eintr", "sleep", CALL, interrupt_call },
	{ "early", "futex", CALL, end_wait_early },
	{ "swallow", "registers", ANYWHERE, swallow },
	{ "memory", NULL, ANYWHERE, change_memory },
	{ "stop", NULL, ANYWHERE, stop_process },
	{ "kill", NULL, ANYWHERE, kill_process },
};

int main(int argc, char **argv)
{
	pid_t pid = argc == 3 ? atoi(argv[2]) : 0, tid = 0;
	int bad = 0;

	for (unsigned i = 0; pid && i < sizeof(harms) / sizeof(harms[0]); i++) {
		const struct harm *h = &harms[i];

		if (strcmp(h->name, argv[1]))
			continue;
		if (h->thread) {
			tid = thread_named(pid, h->thread);
			if (!tid || ptrace(PTRACE_SEIZE, tid, 0, 0)) {
				perror("harm: seize");
				return 1;
			}
			bad = h->where == ANYWHERE ? stop_thread(tid) : stop_where(tid, h->where == LOOP);
		}
		if (bad >= 0)
			bad = h->inflict(tid ? tid : pid);
		if (tid)
			ptrace(PTRACE_DETACH, tid, 0, 0);
		if (bad)
			fprintf(stderr, "harm: %s: could not be done\n", h->name);
		return !bad ? 0 : bad == ARCH_HAS_NONE ? 3 : 1;
	}
	fprintf(stderr, "usage: harm WHAT PID\n");
	return 2;
}
