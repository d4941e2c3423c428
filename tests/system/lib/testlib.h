/* SPDX-License-Identifier: MIT */
/*
 * What every self-checking test program shares.
 *
 * A program provides test_setup(), test_break() and test_check(); main() is in testlib.c:
 *
 *     test_setup();                     make the state that must survive
 *     DIR/ready appears                 (DIR is argv[1])
 *     test_hold();                      wait for DIR/go; here save and restore happen
 *     test_break();                     only with BREAK=1 in the environment: proves that test_check() can fail
 *     test_check();
 *     DIR/result says "pass", "fail: ..." or "skip: ..."
 *
 * The protocol adds no kernel object to the process: it creates files and closes them, and polls with access(2) and
 * nanosleep(2). Standard input is /dev/null, standard output and error are the regular file DIR/log.
 */
#ifndef TESTLIB_H
#define TESTLIB_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* futex(2) with the C library's struct timespec: on 32-bit machines that is another call. */
#ifdef SYS_futex_time64
#define SYS_futex_call SYS_futex_time64
#else
#define SYS_futex_call SYS_futex
#endif

void test_setup(void);
void test_break(void);
void test_check(void);

/* Weak: a program that has to spin, or to sit in a certain call, brings its own. */
void test_hold(void);

/*
 * Weak, of the mode "meanwhile": another run of the program, while the workload is but an image; and one after a restore
 * that has to fail, to see that it left all as it was.
 */
void test_meanwhile(void);
void test_left(void);

/* Polls for DIR/go; a program or one of its children may call it. */
void test_wait(void);
bool test_may_go(void);

/* BREAK=1: for state that only a child or a thread can spoil. */
bool test_breaking(void);

void test_pass(void) __attribute__((noreturn));
/* The same, but main ends with this exit status. */
void test_pass_with(int status) __attribute__((noreturn));
/* In a child: the text reaches the root through test_join(). */
void test_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Only before readiness: this machine cannot show the behaviour, for this reason. */
void test_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* All of a program, where what it looks at does not exist. */
#define TEST_SKIPPED(reason) \
	void test_setup(void) { test_skip(reason); } \
	void test_break(void) { } \
	void test_check(void) { }
/*
 * This kernel lacks what the state takes: a refusal (exit 3) that says so in these words, and harms nothing, skips the test.
 * Only for what the table of `tinyckpt check` tells.
 */
void test_may_be_refused(const char *words);
/* Everything behind test_setup(), for a set-up that leaves the main thread for good. */
void test_continue(void) __attribute__((noreturn));
void test_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define expect(condition, ...) ((condition) ? (void)0 : test_fail(__VA_ARGS__))

/* Set-up steps: fail with the call's own text when it returns -1 (or MAP_FAILED). */
#define must(call)                                                                                                     \
	({                                                                                                             \
		__typeof__(call) must_result_ = (call);                                                                \
		if ((intptr_t)must_result_ == -1)                                                                      \
			test_fail("%s:%d: %s: errno %d", __FILE__, __LINE__, #call, errno);                            \
		must_result_;                                                                                          \
	})

/* DIR/NAME, in a buffer of the calling thread that the next call reuses. */
const char *test_path(const char *name);
/* What follows DIR on the command line, or "": one program, several cases. */
const char *test_argument(void);
/* After chroot(2): where DIR is from here on. */
void test_moved(const char *directory);

/* Forks; returns in the parent when the child has called test_child_ready(). The child exits with 0 after body. */
pid_t test_child(void (*body)(void *), void *arg);
void test_child_ready(void);
/* Waits for the child and fails, with the child's own words, unless it exited with 0. */
void test_join(pid_t child);

/* The thread runs: it is no longer being made, with every signal blocked. */
pthread_t test_thread(void *(*body)(void *), void *arg);

/* Returns when the task has settled down inside one blocking system call: "save" must find it there. */
void test_await_sleep(pid_t tid);

void test_nap(unsigned milliseconds);
int64_t test_now_ns(void);

/* A pattern that differs for every offset and seed. */
void fill_pattern(void *area, size_t size, uint64_t seed);
/* Offset of the first byte that differs, or -1. */
ssize_t find_difference(const void *area, size_t size, uint64_t seed);
/* Fails naming the area when it no longer holds its pattern. */
void expect_pattern(const char *what, const void *area, size_t size, uint64_t seed);
void expect_zero(const char *what, const void *area, size_t size);

/* For refusals: a text that one line of save's stderr must contain. */
void test_expect_message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For refusals: on this kernel check, which looks from outside, finds nothing. */
void test_check_is_blind(void);

#endif
