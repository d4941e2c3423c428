/* SPDX-License-Identifier: MIT */
/* A process waits for a futex in memory that it shares with its parent: the wake-up must find it after a restore. */
#include "testlib.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int *word;
static pid_t child;

static void wait_for_word(void *arg)
{
	(void)arg;
	test_child_ready();
	long result = syscall(SYS_futex_call, word, FUTEX_WAIT, 0, NULL, NULL, 0);

	expect(result == 0, "FUTEX_WAIT returned %ld, errno %d", result, errno);
	expect(*word == 1, "woken although the word is %d", *word);
}

void test_setup(void)
{
	word = must(mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	child = test_child(wait_for_word, NULL);
	test_await_sleep(child);
}

void test_break(void)
{
	syscall(SYS_futex_call, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void test_check(void)
{
	test_nap(5);
	*word = 1;
	long woken = syscall(SYS_futex_call, word, FUTEX_WAKE, 1, NULL, NULL, 0);

	expect(woken == 1, "FUTEX_WAKE woke %ld processes", woken);
	test_join(child);
}
