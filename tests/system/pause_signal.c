/* SPDX-License-Identifier: MIT */
/*
 * A signal from outside comes while all stand still for a save, and ends the pause(2) that waits for it when they go on. Were the
 * handler to run first and the call to be made then, it would wait for ever.
 *
 * late: and they had been looked at by then, while others still are.
 *
 * modes: leave
 * arguments: early late
 */
#include "testlib.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* They stand still for long: BYTES are written meanwhile.  Each is sent its signal at another time of that. */
enum { BYTES = 24 << 20, COUNT = 7, FIRST_MS = 3, CROWD = 30, BETWEEN = 9 };

static struct shared {
	volatile int signals[COUNT], returns[COUNT];
} *shared;
static pid_t child[COUNT], other[BETWEEN], crowd;
static int number;
static bool late;

static void on_signal(int sig)
{
	(void)sig;
	shared->signals[number]++;
}

static void waits(void *arg)
{
	const struct sigaction action = {.sa_handler = on_signal};

	number = (int)(intptr_t)arg;
	must(sigaction(SIGUSR1, &action, NULL));
	test_child_ready();
	for (;;) {
		pause();
		shared->returns[number]++;
	}
}

static void *stays(void *arg)
{
	for (;;)
		test_nap(1000);
	return arg;
}

/* Many threads: it takes long to look at them all.  Between it and those before are so many that these are through. */
static void crowds(void *threads)
{
	for (intptr_t i = 0; i < (intptr_t)threads; i++)
		test_thread(stays, NULL);
	test_child_ready();
	stays(NULL);
}

static bool says(const char *file, pid_t pid, const char *word)
{
	char path[64], text[2048];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	return strstr(text, word);
}

static bool is_traced(pid_t pid)
{
	return says("stat", pid, ") t ");
}

/* All its signals are blocked while it is asked from the inside. */
static bool is_asked(pid_t pid)
{
	return says("status", pid, "SigBlk:\tffff");
}

/* Outside the tree, to which it is no descendant. */
static void sends(pid_t root)
{
	int stands = 0, sent = 0;

	while (late && !kill(root, 0) && !is_asked(crowd))
		;
	while (late && sent < COUNT)
		kill(child[sent++], SIGUSR1);
	while (!kill(root, 0) && sent < COUNT) {
		stands = is_traced(child[0]) ? stands + 1 : 0;
		if (stands >= FIRST_MS << sent)
			kill(child[sent++], SIGUSR1);
		test_nap(1);
	}
	_exit(0);
}

void test_setup(void)
{
	const pid_t root = getpid();
	unsigned int *bytes = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	must(bytes == MAP_FAILED ? -1 : 0);
	for (size_t i = 0; i < BYTES / sizeof *bytes; i++)
		bytes[i] = (unsigned int)i * 2654435761u;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared == MAP_FAILED ? -1 : 0);
	for (intptr_t i = 0; i < COUNT; i++)
		child[i] = test_child(waits, (void *)i);
	for (int i = 0; i < COUNT; i++)
		test_await_sleep(child[i]);
	late = !strcmp(test_argument(), "late");
	for (int i = 0; late && i < BETWEEN; i++)
		other[i] = test_child(crowds, NULL);
	if (late)
		crowd = test_child(crowds, (void *)CROWD);
	pid = fork();
	must(pid);
	if (!pid) {
		pid = fork();
		if (!pid) {
			setsid();
			sends(root);
		}
		_exit(pid < 0);
	}
	must(waitpid(pid, NULL, 0));
}

void test_break(void)
{
	shared->signals[0]++;
}

void test_check(void)
{
	int signals = 0, returns = 0;

	for (int round = 0; round < 100; round++) {
		test_nap(5);
		signals = returns = 0;
		for (int i = 0; i < COUNT; i++) {
			signals += shared->signals[i];
			returns += shared->returns[i];
		}
	}
	for (int i = 0; i < COUNT; i++) {
		must(kill(child[i], SIGKILL));
		must(waitpid(child[i], NULL, 0));
	}
	for (int i = 0; late && i <= BETWEEN; i++) {
		const pid_t pid = i < BETWEEN ? other[i] : crowd;

		must(kill(pid, SIGKILL));
		must(waitpid(pid, NULL, 0));
	}
	expect(signals, "it did not stand still");
	expect(returns == signals, "%d of %d signals came, and did not end the call", signals - returns, signals);
}
