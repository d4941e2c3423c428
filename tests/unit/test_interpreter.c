/* SPDX-License-Identifier: MIT */
/* The blob that works off programs, in a process of its own for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blobs.h"
#include "interpreter.h"

enum { OPS = 8, LEFT = 7 };

/* Shared, so that results are seen here. */
static struct op *ops;
static long *word;

static void left(void)
{
	_exit(LEFT);
}

static void add(int i, long nr, unsigned long flags, long a, long b, long c)
{
	ops[i] = (struct op){ .nr = nr, .flags = flags, .arg = { a, b, c }, .ret = 12345 };
}

/* Works off what was added, to which the end is added as operation n; the wait status of the process that did. */
static int run(int n)
{
	const size_t len = (size_t)(interpreter_blob_end - interpreter_blob);
	int status;
	pid_t pid;

	add(n, OP_LEAVE, 0, (long)(uintptr_t)left, 0, 0);
	pid = fork();
	if (!pid) {
		void *blob = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		void (*interpret)(struct op *) = (void (*)(struct op *))(uintptr_t)blob;

		signal(SIGTRAP, SIG_DFL);
		memcpy(blob, interpreter_blob, len);
		mprotect(blob, len, PROT_READ | PROT_EXEC);
		__builtin___clear_cache(blob, (char *)blob + len);
		interpret(ops);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return status;
}

static bool has_left(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == LEFT;
}

static bool has_trapped(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP;
}

static int set_up(void **state)
{
	(void)state;
	ops = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	word = (long *)(void *)(ops + OPS);
	return ops == MAP_FAILED;
}

static void results(void **state)
{
	int ends[2];
	char got[4];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	add(0, SYS_getpid, 0, 0, 0, 0);
	add(1, SYS_write, OP_MUST, ends[1], (long)(uintptr_t)"abc", 3);
	assert_true(has_left(run(2)));
	assert_in_range(ops[0].ret, 2, 1 << 22);
	assert_int_equal(ops[1].ret, 3);
	assert_int_equal(read(ends[0], got, sizeof(got)), 3);
	assert_memory_equal(got, "abc", 3);
	close(ends[0]);
	close(ends[1]);
}

static void indirect(void **state)
{
	(void)state;
	word[0] = -1;
	word[1] = 0;
	add(0, SYS_lseek, OP_INDIRECT << 0, (long)(uintptr_t)&word[0], 0, SEEK_CUR);
	add(1, SYS_lseek, OP_INDIRECT << 2, -1, 0, (long)(uintptr_t)&word[1]);
	/* what a call has returned */
	add(2, SYS_getpid, 0, 0, 0, 0);
	add(3, SYS_kill, OP_INDIRECT << 0 | OP_INDIRECT << 1 | OP_MUST, (long)(uintptr_t)&ops[2].ret, (long)(uintptr_t)&word[1], 0);
	assert_true(has_left(run(4)));
	assert_int_equal(ops[0].ret, -EBADF);
	assert_int_equal(ops[1].ret, -EBADF);
	assert_int_equal(ops[3].ret, 0);
}

static void jumps(void **state)
{
	(void)state;
	add(0, OP_JUMP, 0, (long)(uintptr_t)&ops[2], 0, 0);
	add(1, SYS_getpid, 0, 0, 0, 0);
	add(2, OP_JUMP_IF_EQUAL, 0, 4, 4, (long)(uintptr_t)&ops[4]);
	add(3, SYS_getpid, 0, 0, 0, 0);
	add(4, OP_JUMP_IF_EQUAL, 0, 4, 5, (long)(uintptr_t)&ops[6]);
	add(5, SYS_getppid, 0, 0, 0, 0);
	assert_true(has_left(run(6)));
	assert_int_equal(ops[1].ret, 12345);
	assert_int_equal(ops[3].ret, 12345);
	assert_int_equal(ops[5].ret, getpid());
}

static void sums(void **state)
{
	int *number = (int *)(void *)word;

	(void)state;
	number[0] = 40;
	number[1] = -1;
	number[2] = 2;
	number[3] = -1;
	add(0, OP_ADD, 0, (long)(uintptr_t)&number[0], (long)(uintptr_t)&number[2], 0);
	assert_true(has_left(run(1)));
	assert_int_equal(number[0], 42);
	assert_int_equal(number[1], -1);
	assert_int_equal(number[2], 2);
}

/* A call that fails goes on, unless it must not; with any error that there is, and with no result that is none. */
static void failures(void **state)
{
	int ends[2];
	long at;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (int must = 0; must < 2; must++) {
		add(0, SYS_lseek, must ? OP_MUST : 0, -1, 0, 0);
		add(1, SYS_getpid, 0, 0, 0, 0);
		assert_true(must ? has_trapped(run(2)) : has_left(run(2)));
		assert_int_equal(ops[0].ret, -EBADF);
		assert_int_equal(ops[1].ret == 12345, must);
		add(0, SYS_getsockname, must ? OP_MUST : 0, ends[0], 0, 0);
		assert_true(must ? has_trapped(run(1)) : has_left(run(1)));
		assert_int_equal(ops[0].ret, -ENOTSOCK);
	}
	add(0, OP_TRAP, 0, 0, 0, 0);
	assert_true(has_trapped(run(1)));
	/* an address is no error, though as a number it may be below zero */
	add(0, SYS_brk, OP_MUST, 0, 0, 0);
	assert_true(has_left(run(1)));
	at = ops[0].ret;
	assert_true((unsigned long)at < -4096UL);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results), cmocka_unit_test(indirect), cmocka_unit_test(jumps), cmocka_unit_test(sums), cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
