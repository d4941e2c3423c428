/* SPDX-License-Identifier: MIT */
/* Children made by clone with another exit signal than SIGCHLD, or with none; two zombies that had reported by different ones. */
#include "testlib.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __WCLONE
#define __WCLONE 0x80000000
#endif

static volatile int usr2, chld;
static pid_t with_signal, without, zombie[2];

static void count(int number)
{
	if (number == SIGUSR2)
		usr2++;
	else
		chld++;
}

static pid_t clone_with(int number, bool zombie_at_once)
{
	/* No flags, no stack: a fork with another exit signal, the same in every argument order. */
	pid_t child = must(syscall(SYS_clone, (long)number, 0L, 0L, 0L, 0L));

	if (child == 0) {
		while (!zombie_at_once && !test_may_go())
			test_nap(5);
		_exit(3);
	}
	return child;
}

void test_setup(void)
{
	signal(SIGUSR2, count);
	signal(SIGCHLD, count);
	zombie[0] = clone_with(SIGCHLD, true);
	zombie[1] = clone_with(SIGUSR2, true);
	while (chld < 1 || usr2 < 1)
		test_nap(1);
	chld = usr2 = 0;
	with_signal = clone_with(SIGUSR2, false);
	without = clone_with(0, false);
}

void test_break(void)
{
	raise(SIGCHLD);
}

void test_check(void)
{
	int status = 0;

	test_nap(10);
	expect(chld == 0, "SIGCHLD came %d times", chld);
	for (int i = 0; i < 2; i++) {
		must(waitpid(zombie[i], &status, __WALL));
		expect(WIFEXITED(status) && WEXITSTATUS(status) == 3, "zombie %d: status 0x%x", i, status);
	}
	expect(waitpid(with_signal, NULL, WNOHANG) == -1 && errno == ECHILD, "the first is an ordinary child now");
	while (waitpid(with_signal, &status, __WCLONE) < 0 && errno == EINTR)
		;
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 3, "status 0x%x", status);
	while (waitpid(without, &status, __WCLONE) < 0 && errno == EINTR)
		;
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 3, "status 0x%x", status);
	expect(usr2 == 1 && chld == 0, "SIGUSR2 came %d times, SIGCHLD %d times", usr2, chld);
}
