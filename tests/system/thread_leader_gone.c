/* SPDX-License-Identifier: MIT */
/*
 * Main threads that have ended while others run on: the root's own, and that of a child with several threads, a child of
 * its own, another user and an exit status; and that of one that is stopped.
 */
#include "selfview.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, STATUS = 9, USER = 4711 };

static pid_t child, stopped;
static char child_status[256];
static struct {
	pid_t tid;
	volatile int ready;
} known[THREADS];
static pid_t grandchild;

/* Not pthread_exit(): that would run the C library's idea of the end of main. */
static void end_thread(int status)
{
	syscall(SYS_exit, status);
}

static void wait_for_end(pid_t pid)
{
	while (task_state(pid) != 'Z')
		test_nap(1);
}

static void *thread_body(void *arg)
{
	int number = (intptr_t)arg;
	char filler[2000], path[64];

	fill_pattern(filler, sizeof filler, number);
	known[number].tid = gettid();
	known[number].ready = 1;
	test_wait();
	expect(gettid() == known[number].tid, "thread %d had ID %d and has %d", number, known[number].tid, gettid());
	expect_pattern("stack of a thread", filler, sizeof filler, number);
	snprintf(path, sizeof path, "/proc/self/task/%d", getpid());
	expect(access(path, F_OK) == 0 && task_state(getpid()) == 'Z', "the child's main thread is in state %c", task_state(getpid()));
	if (!number)
		test_join(grandchild);
	end_thread(STATUS);
	return NULL;
}

static void just_wait(void *arg)
{
	pid_t parent = (pid_t)(intptr_t)arg;

	test_child_ready();
	test_wait();
	expect(getppid() == parent, "the grandchild's parent is %d", getppid());
}

static void outlived(void *arg)
{
	(void)arg;
	grandchild = test_child(just_wait, (void *)(intptr_t)getpid());
	for (intptr_t i = 0; i < THREADS; i++) {
		test_thread(thread_body, (void *)i);
		while (!known[i].ready)
			test_nap(1);
	}
	must(prctl(PR_SET_NAME, "gone"));
	test_child_ready();
	/* of this thread alone */
	must(syscall(SYS_setresuid, USER, USER, USER));
	end_thread(STATUS);
}

static void *sleeper(void *arg)
{
	known[0].ready = 1;
	while (access(test_path("was-continued"), F_OK))
		test_nap(1);
	end_thread(0);
	return arg;
}

static void outlived_and_stopped(void *arg)
{
	test_thread(sleeper, arg);
	while (!known[0].ready)
		test_nap(1);
	test_child_ready();
	end_thread(0);
}

static void *go_on(void *arg)
{
	(void)arg;
	wait_for_end(getpid());
	test_continue();
}

void test_setup(void)
{
	/* Without kcmp(2) descriptors are compared by copies, which no kernel before 6.9 gives of such a process. */
	if (syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0) == -1 && errno == ENOSYS)
		test_may_be_refused("cannot be told (CONFIG_KCMP)");
	child = test_child(outlived, NULL);
	wait_for_end(child);
	status_lines(child, "Uid:", child_status, sizeof child_status);
	stopped = test_child(outlived_and_stopped, NULL);
	wait_for_end(stopped);
	must(kill(stopped, SIGSTOP));
	must(waitpid(stopped, NULL, WUNTRACED));
	test_thread(go_on, NULL);
	end_thread(0);
}

static bool spoiled;

void test_break(void)
{
	spoiled = true;
}

void test_check(void)
{
	char name[64], now[256];
	unsigned long code = stat_value(child, 52);
	int status;

	expect(task_state(getpid()) == 'Z' && !spoiled, "the leader is in state %c", task_state(getpid()));
	expect(gettid() != getpid(), "the leader lives");
	expect(code == STATUS << 8, "the child's main thread ended with %#lx", code);
	status_lines(child, "Name:", name, sizeof name);
	expect(strstr(name, "gone"), "the child is called %s", name);
	status_lines(child, "Uid:", now, sizeof now);
	expect(strcmp(now, child_status) == 0, "the child's main thread had %s, has %s", child_status, now);
	must(kill(stopped, SIGCONT));
	must(waitpid(stopped, &status, WCONTINUED));
	expect(WIFCONTINUED(status), "the stopped child had not been stopped: status %#x", status);
	must(mkdir(test_path("was-continued"), 0755));
	test_join(stopped);
	must(waitpid(child, &status, 0));
	expect(WIFEXITED(status) && WEXITSTATUS(status) == STATUS, "the child ended with status %#x", status);
}
