/* SPDX-License-Identifier: MIT */
/*
 * A signal from outside comes while all stand still for a save, and ends the pause(2) that waits for it when they go on. Were the
 * handler to run first and the call to be made then, it would wait for ever.
 *
 * modes: leave
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
enum { BYTES = 24 << 20, COUNT = 7, FIRST_MS = 3 };

static struct shared {
	volatile int signals[COUNT], returns[COUNT];
} *shared;
static pid_t child[COUNT];
static int number;

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

static bool is_traced(pid_t pid)
{
	char path[64], text[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	return strstr(text, ") t ");
}

/* Outside the tree, to which it is no descendant. */
static void sends(pid_t root)
{
	int stands = 0, sent = 0;

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
	expect(signals, "it did not stand still");
	expect(returns == signals, "%d of %d signals came, and did not end the call", signals - returns, signals);
}
