// SPDX-License-Identifier: MIT
// The workloads that are timed: small, still, and able to tell whether a restore was a true one.
//
//   workload mem N       one thread, N MiB of random bytes
//   workload threads N   N threads that wait
//   workload files N     N open files, each at its own offset, in the folder $BENCH_FILES
//   workload tree N      a tree of N processes, 1 MiB of random bytes each
//   workload spin N      N MiB; the thread spins and notes the longest time that it was not running
//
// A byte on descriptor 3 says "ready". SIGUSR1 asks for a line on stdout: "ok", or what is wrong;
// for spin the longest gap in nanoseconds since the last question.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, READY = 3 };

static volatile sig_atomic_t asked;

static void on_question(int signal)
{
	(void)signal;
	asked = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "workload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t xorshift(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

// Every word follows from the one before it, so the check needs no second copy.
static uint64_t *fill(size_t bytes, uint64_t seed)
{
	uint64_t *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t state = seed;

	if (area == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < bytes / sizeof(*area); i++)
		area[i] = xorshift(&state);
	return area;
}

static const char *check(const uint64_t *area, size_t bytes, uint64_t seed)
{
	uint64_t state = seed;

	for (size_t i = 0; i < bytes / sizeof(*area); i++)
		if (area[i] != xorshift(&state))
			return "memory differs";
	return "ok";
}

static void ready(void)
{
	if (write(READY, "r", 1) != 1)
		die("ready");
	close(READY);
}

static void answer(const char *line)
{
	if (dprintf(STDOUT_FILENO, "%s\n", line) < 0)
		die("answer");
}

// The question is blocked outside sigsuspend, so it cannot be lost between the test and the wait.
static void wait_for_question(void)
{
	sigset_t none;

	sigemptyset(&none);
	while (!asked)
		sigsuspend(&none);
	asked = 0;
}

static void run_mem(long n)
{
	size_t bytes = (size_t)n * MIB;
	uint64_t *area = fill(bytes, 0x9e3779b97f4a7c15);

	ready();
	for (;;) {
		wait_for_question();
		answer(check(area, bytes, 0x9e3779b97f4a7c15));
	}
}

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked_all = PTHREAD_COND_INITIALIZER, answered_all = PTHREAD_COND_INITIALIZER;
static long question, answers;

static void *thread(void *unused)
{
	long seen = 0;

	(void)unused;
	pthread_mutex_lock(&turn);
	for (;;) {
		answers++;
		pthread_cond_signal(&answered_all);
		while (question == seen)
			pthread_cond_wait(&asked_all, &turn);
		seen = question;
	}
	return NULL;
}

// The main thread is one of the N.
static void run_threads(long n)
{
	pthread_attr_t small;
	pthread_t id;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (long i = 1; i < n; i++)
		if (pthread_create(&id, &small, thread, NULL))
			die("pthread_create");
	pthread_mutex_lock(&turn);
	while (answers < n - 1)
		pthread_cond_wait(&answered_all, &turn);
	ready();
	for (;;) {
		wait_for_question();
		answers = 0;
		question++;
		pthread_cond_broadcast(&asked_all);
		while (answers < n - 1)
			pthread_cond_wait(&answered_all, &turn);
		answer("ok");
	}
}

static void run_files(long n)
{
	const char *folder = getenv("BENCH_FILES");
	int *fds = calloc((size_t)n, sizeof(*fds));
	char path[256];

	if (!folder || !fds)
		die("BENCH_FILES");
	for (long i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%ld", folder, i);
		fds[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fds[i] < 0 || ftruncate(fds[i], 4096) || lseek(fds[i], i, SEEK_SET) != i)
			die(path);
	}
	ready();
	for (;;) {
		const char *verdict = "ok";

		wait_for_question();
		for (long i = 0; i < n; i++)
			if (lseek(fds[i], 0, SEEK_CUR) != i)
				verdict = "a file's offset differs";
		answer(verdict);
	}
}

static void run_tree(long n)
{
	pid_t *children = calloc((size_t)n, sizeof(*children));
	uint64_t *area;
	int ends[2];
	char byte;

	if (!children || pipe(ends))
		die("tree");
	for (long i = 1; i < n; i++) {
		children[i] = fork();
		if (children[i] < 0)
			die("fork");
		if (children[i] == 0) {
			close(READY);
			close(ends[0]);
			area = fill(MIB, (uint64_t)i);
			if (write(ends[1], "r", 1) != 1)
				die("write");
			close(ends[1]);
			for (;;) {
				wait_for_question();
				if (strcmp(check(area, MIB, (uint64_t)i), "ok"))
					_exit(1);
			}
		}
	}
	close(ends[1]);
	area = fill(MIB, (uint64_t)n);
	for (long i = 1; i < n; i++)
		if (read(ends[0], &byte, 1) != 1)
			die("a child");
	close(ends[0]);
	ready();
	for (;;) {
		const char *verdict;

		wait_for_question();
		verdict = check(area, MIB, (uint64_t)n);
		for (long i = 1; i < n; i++)
			if (kill(children[i], SIGUSR1))
				verdict = "a child is missing";
		// A child that finds a difference ends; give them the time to look.
		usleep(50000);
		if (n > 1 && waitpid(-1, NULL, WNOHANG) != 0)
			verdict = "a child ended";
		answer(verdict);
	}
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void run_spin(long n)
{
	int64_t last, time, longest = 0;
	sigset_t none;

	fill((size_t)n * MIB, 1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	ready();
	for (last = now();; last = time) {
		time = now();
		if (time - last > longest)
			longest = time - last;
		if (!asked)
			continue;
		asked = 0;
		if (dprintf(STDOUT_FILENO, "%lld\n", (long long)longest) < 0)
			die("answer");
		longest = 0;
		time = now();
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(long n);
	} modes[] = {
		{ "mem", run_mem },	{ "threads", run_threads }, { "files", run_files },
		{ "tree", run_tree },	{ "spin", run_spin },
	};
	struct sigaction action = { .sa_handler = on_question };
	long n = argc == 3 ? atol(argv[2]) : 0;
	sigset_t usr1;

	if (setsid() < 0)
		die("setsid");
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	sigaction(SIGUSR1, &action, NULL);
	for (size_t i = 0; n > 0 && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[1], modes[i].name))
			modes[i].run(n);
	fprintf(stderr, "usage: workload mem|threads|files|tree|spin N\n");
	return 2;
}
