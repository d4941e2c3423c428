/* SPDX-License-Identifier: MIT */
/*
 * A workload that notices when it is harmed. Usage:
 *
 *   victim [--longjmp] [--unblocked] [--slow N] [--children N] [--ballast MIB] [--carry] HEARTBEAT REPORT
 *
 * A dozen threads check from the inside whatever a checkpoint tool might damage, while signals fly at them every two
 * milliseconds. Each thread counts its rounds in HEARTBEAT (heartbeat.h); the first thing that is not as it must be is
 * written to REPORT and ends the process with status 1.
 */
#define _GNU_SOURCE
#include "victim.h"
#include "victim_arch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct workers workers;
__thread struct worker *self;
long slow = 1;

static struct heartbeat *heartbeat;
static int report;
static int my_index; /* among the victim's processes */
static pid_t parent, child[PROCESSES];
static int children;
static pthread_barrier_t all_there; /* nobody begins before everybody has a slot and a mask */

static struct worker crew[] = {
	{ .name = "registers", .round = round_registers, .noisy = true },
	{ .name = "flags", .round = round_flags, .noisy = true },
	{ .name = "vectors", .round = round_vectors, .noisy = true },
	{ .name = "memory", .round = round_memory, .noisy = true },
	{ .name = "sleep", .round = round_sleep },
	{ .name = "poll", .round = round_poll },
	{ .name = "futex", .round = round_futex },
	{ .name = "ping", .round = round_ping, .noisy = true },
	{ .name = "pong", .round = round_pong },
	{ .name = "noisy", .round = round_noisy, .noisy = true, .eintr = true },
	{ .name = "send", .round = round_send },
	{ .name = "jump", .round = round_jump, .noisy = true, .jumps = true },
};
enum { CREW = sizeof(crew) / sizeof(crew[0]) };

/* A child is there to make the victim a tree: a few threads of each kind are enough. */
static struct worker small_crew[] = {
	{ .name = "registers", .round = round_registers, .noisy = true },
	{ .name = "sleep", .round = round_sleep },
	{ .name = "ping", .round = round_ping, .noisy = true },
	{ .name = "pong", .round = round_pong },
	{ .name = "send", .round = round_send },
};
enum { SMALL_CREW = sizeof(small_crew) / sizeof(small_crew[0]) };

void violation(const char *format, ...)
{
	static _Atomic int reported;
	char text[512], line[640];
	va_list args;
	int n;

	if (atomic_exchange(&reported, 1))
		for (;;)
			pause(); /* the first one is ending the process */
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	n = snprintf(line, sizeof(line), "pid %d (%s, tid %ld): %s\n", (int)getpid(), self ? self->name : "main",
		     syscall(SYS_gettid), text);
	if (write(report, line, (size_t)n) != n)
		n = 0;
	atomic_fetch_add(&heartbeat->violations, 1);
	_exit(1);
}

static void take_slot(struct worker *w)
{
	w->slot = &heartbeat->slot[atomic_fetch_add(&heartbeat->slots, 1)];
	w->slot->pid = w->pid = getpid();
	w->slot->tid = w->tid = (pid_t)syscall(SYS_gettid);
	strcpy(w->slot->name, w->name);
	w->slot->mask = w->mask;
	w->magic = (uintptr_t)w ^ (uint64_t)w->tid;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	self = w;
	pthread_setname_np(pthread_self(), w->name);
	arch_thread_start();
	signals_thread_mask(w);
	take_slot(w);
	pthread_barrier_wait(&all_there);
	signals_open(w);
	for (;;) {
		w->round(w);
		w->rounds++;
		signals_check_mask(w);
		atomic_fetch_add(&w->slot->beats, 1);
	}
	return NULL;
}

static void start_crew(struct worker *list, int count)
{
	workers = (struct workers){ list, count };
	pthread_barrier_init(&all_there, NULL, (unsigned)count + 1);
	spin_start();
	calls_start();
	signals_start();
	for (int i = 0; i < count; i++) {
		pthread_t thread;
		pthread_attr_t attr;

		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, 256 * 1024);
		if (pthread_create(&thread, &attr, work, &list[i]))
			violation("pthread_create failed");
		pthread_attr_destroy(&attr);
	}
}

static void check_family(void)
{
	siginfo_t info = { 0 };

	if (getppid() != parent && my_index)
		violation("the parent process is now %d", (int)getppid());
	for (int i = 0; i < children; i++)
		if (waitid(P_PID, (id_t)child[i], &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			violation("child %d has ended", (int)child[i]);
}

static void check_alarms(void)
{
	static uint64_t last, still;
	uint64_t now = atomic_load(&signals_alarms);

	still = now == last ? still + 1 : 0;
	last = now;
	if (still > 1000) /* rounds of two milliseconds and more, against a timer of two */
		violation("the interval timer has stopped");
}

static void main_thread(void)
{
	static struct worker me = { .name = "main" };
	uint32_t asked = 0;

	self = &me;
	arch_thread_start();
	signals_thread_mask(&me);
	take_slot(&me);
	pthread_barrier_wait(&all_there);
	signals_open(&me);
	signals_stay();
	census_start();
	heartbeat->pid[my_index] = getpid();
	atomic_fetch_add(&heartbeat->ready, 1);
	for (;;) {
		struct timespec nap = { 0, 2000000 * slow };

		nanosleep(&nap, NULL);
		check_family();
		check_alarms();
		census_descriptors();
		if (asked != heartbeat->census_asked) {
			asked = heartbeat->census_asked;
			census_mappings();
			signals_check_staying();
			carry_check();
			heartbeat->census_done[my_index] = asked;
		}
		signals_check_mask(&me);
		atomic_fetch_add(&me.slot->beats, 1);
	}
}

static void fork_children(void)
{
	for (int i = 0; i < children; i++) {
		child[i] = fork();
		if (child[i] < 0)
			violation("fork failed");
		if (child[i])
			continue;
		children = 0;
		parent = getppid();
		my_index = i + 1;
		start_crew(small_crew, SMALL_CREW);
		main_thread();
	}
}

static void open_files(const char *heartbeat_path, const char *report_path)
{
	int fd = open(heartbeat_path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	report = open(report_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd < 0 || report < 0 || ftruncate(fd, sizeof(*heartbeat)))
		exit(2);
	heartbeat = mmap(NULL, sizeof(*heartbeat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (heartbeat == MAP_FAILED)
		exit(2);
	close(fd);
}

/* Memory that makes the image large. */
static void take_ballast(size_t mib)
{
	size_t size = mib << 20;
	uint32_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		exit(2);
	for (size_t i = 0; i < size / sizeof(*at); i++)
		at[i] = (uint32_t)i * 2654435761u + 1;
}

int main(int argc, char **argv)
{
	int crew_size = CREW - 1; /* the jumper stands last */
	bool carry = false;

	while (argc > 3) {
		if (!strcmp(argv[1], "--longjmp")) {
			crew_size = CREW;
		} else if (!strcmp(argv[1], "--unblocked")) {
			signals_unblocked = true;
		} else if (!strcmp(argv[1], "--children") && argc > 4) {
			children = atoi(argv[2]);
			argv++, argc--;
		} else if (!strcmp(argv[1], "--slow") && argc > 4) {
			slow = atol(argv[2]);
			argv++, argc--;
		} else if (!strcmp(argv[1], "--ballast") && argc > 4) {
			take_ballast((size_t)atoi(argv[2]));
			argv++, argc--;
		} else if (!strcmp(argv[1], "--carry")) {
			carry = true;
		} else {
			break;
		}
		argv++, argc--;
	}
	if (argc != 3 || slow < 1 || slow > 40 || children < 0 || children >= PROCESSES) {
		fprintf(stderr, "usage: victim [--longjmp] [--slow N] [--children N] [--ballast MIB] [--carry] HEARTBEAT REPORT\n");
		return 2;
	}
	open_files(argv[1], argv[2]);
	heartbeat->processes = 1 + (uint32_t)children;
	fork_children();
	if (carry)
		carry_start(argv[1]);
	start_crew(crew, crew_size);
	main_thread();
}
