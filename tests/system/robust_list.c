/* SPDX-License-Identifier: MIT */
/*
 * Robust mutexes: whoever holds one and dies after the restore leaves EOWNERDEAD, a thread as well as a process, and not before:
 * the end of a save is no owner's death, in a file that outlives it.
 * arguments: memory file
 */
#include "testlib.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct shared {
	pthread_mutex_t of_thread, of_process, of_main;
} *shared;
static pthread_t thread;
static pid_t child;
static volatile int ready;

static void make_robust(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attributes);
}

static void *die_holding(void *arg)
{
	pthread_mutex_lock(&shared->of_thread);
	ready = 1;
	test_wait();
	if (test_breaking())
		pthread_mutex_unlock(&shared->of_thread);
	return arg;
}

static void be_killed_holding(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&shared->of_process);
	test_child_ready();
	for (;;)
		pause();
}

void test_setup(void)
{
	const bool in_file = !strcmp(test_argument(), "file");
	int fd = in_file ? must(open(test_path("mutexes"), O_RDWR | O_CREAT, 0600)) : -1;

	if (in_file)
		must(ftruncate(fd, sizeof *shared));
	shared = must(mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | (in_file ? 0 : MAP_ANONYMOUS), fd, 0));
	if (in_file)
		close(fd);
	make_robust(&shared->of_thread);
	make_robust(&shared->of_process);
	make_robust(&shared->of_main);
	pthread_mutex_lock(&shared->of_main);
	child = test_child(be_killed_holding, NULL);
	thread = test_thread(die_holding, NULL);
	while (!ready)
		test_nap(1);
}

void test_break(void)
{
}

void test_check(void)
{
	expect(!pthread_mutex_unlock(&shared->of_main), "the main thread does not hold its mutex any more");
	pthread_join(thread, NULL);
	int error = pthread_mutex_lock(&shared->of_thread);

	expect(error == EOWNERDEAD, "mutex of the dead thread: error %d", error);
	expect(pthread_mutex_trylock(&shared->of_process) == EBUSY, "the child's mutex is free");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	error = pthread_mutex_trylock(&shared->of_process);
	expect(error == EOWNERDEAD, "mutex of the dead process: error %d", error);
}
