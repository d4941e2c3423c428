/* SPDX-License-Identifier: MIT */
/* Robust mutexes: whoever holds one and dies after the restore leaves EOWNERDEAD, a thread as well as a process. */
#include "testlib.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct shared {
	pthread_mutex_t of_thread, of_process;
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
	shared = must(mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	make_robust(&shared->of_thread);
	make_robust(&shared->of_process);
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
	pthread_join(thread, NULL);
	int error = pthread_mutex_lock(&shared->of_thread);

	expect(error == EOWNERDEAD, "mutex of the dead thread: error %d", error);
	expect(pthread_mutex_trylock(&shared->of_process) == EBUSY, "the child's mutex is free");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	error = pthread_mutex_trylock(&shared->of_process);
	expect(error == EOWNERDEAD, "mutex of the dead process: error %d", error);
}
