/* SPDX-License-Identifier: MIT */
#include "testlib.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[PATH_MAX];
static pid_t root_pid;
static bool breaking;
static const char *argument = "";

const char *test_argument(void)
{
	return argument;
}

const char *test_path(const char *name)
{
	static __thread char path[PATH_MAX + 64];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

void test_moved(const char *new_directory)
{
	snprintf(directory, sizeof directory, "%s", new_directory);
}

/* Whoever sees the file sees all of it, and sees it when the writer has closed it. */
static void publish(const char *name, const char *text)
{
	char temporary[PATH_MAX + 64], final[PATH_MAX + 64];

	snprintf(temporary, sizeof temporary, "%s/%s.%ld", directory, name, (long)syscall(SYS_gettid));
	snprintf(final, sizeof final, "%s/%s", directory, name);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (written < 0 || close(fd) || rename(temporary, final)) {
		fprintf(stderr, "cannot write %s: %m\n", final);
		_exit(2);
	}
}

static void finish(const char *verdict, const char *format, va_list arguments, int status) __attribute__((noreturn));
static void finish(const char *verdict, const char *format, va_list arguments, int status)
{
	char text[2048], name[32] = "result";
	size_t length = snprintf(text, sizeof text, "%s: ", verdict);

	vsnprintf(text + length, sizeof text - length, format, arguments);
	if (getpid() != root_pid)
		snprintf(name, sizeof name, "failure.%d", getpid());
	publish(name, text);
	_exit(status);
}

void test_pass_with(int status)
{
	publish("result", "pass");
	_exit(status);
}

void test_pass(void)
{
	test_pass_with(0);
}

void test_may_be_refused(const char *words)
{
	publish("may-be-refused", words);
}

void test_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	finish("fail", format, arguments, 1);
}

void test_skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	finish("skip", format, arguments, 0);
}

void test_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vdprintf(STDERR_FILENO, format, arguments);
	va_end(arguments);
}

void test_nap(unsigned milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

int64_t test_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

bool test_may_go(void)
{
	return access(test_path("go"), F_OK) == 0;
}

bool test_breaking(void)
{
	return breaking;
}

void test_wait(void)
{
	/* Dozens of others that look often leave an emulated processor no time for anything else. */
	const unsigned pause = gettid() == root_pid ? 10 : 40;

	while (!test_may_go())
		test_nap(pause);
}

__attribute__((weak)) void test_hold(void)
{
	test_wait();
}

__attribute__((weak)) void test_meanwhile(void)
{
}

__attribute__((weak)) void test_left(void)
{
}

void test_child_ready(void)
{
	char name[32];

	snprintf(name, sizeof name, "ready.%d", getpid());
	publish(name, "");
}

pid_t test_child(void (*body)(void *), void *arg)
{
	pid_t child = must(fork());

	if (child == 0) {
		body(arg);
		_exit(0);
	}
	char name[32];

	snprintf(name, sizeof name, "ready.%d", child);
	while (access(test_path(name), F_OK)) {
		siginfo_t info = {0};

		/* WNOWAIT: test_join() and its message come later; a child that failed in its set-up ends the test here. */
		if (waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child &&
		    access(test_path(name), F_OK)) {
			test_join(child);
			test_fail("child %d left before it was ready", child);
		}
		test_nap(1);
	}
	unlink(test_path(name));
	return child;
}

void test_join(pid_t child)
{
	int status;
	pid_t got;

	while ((got = waitpid(child, &status, 0)) < 0 && errno == EINTR)
		;
	expect(got == child, "waitpid(%d) = %d, errno %d", child, got, errno);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	char name[32], text[1024];

	snprintf(name, sizeof name, "failure.%d", child);
	int fd = open(test_path(name), O_RDONLY);
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	text[length > 0 ? length : 0] = '\0';
	test_fail("child %d ended with status 0x%x: %s", child, status, text);
}

struct start {
	void *(*body)(void *);
	void *arg;
	bool runs;
};

static void *start_thread(void *arg)
{
	const struct start start = *(struct start *)arg;

	__atomic_store_n(&((struct start *)arg)->runs, true, __ATOMIC_RELEASE);
	return start.body(start.arg);
}

pthread_t test_thread(void *(*body)(void *), void *arg)
{
	struct start start = {body, arg, false};
	pthread_t thread;
	int error = pthread_create(&thread, NULL, start_thread, &start);

	expect(error == 0, "pthread_create: error %d", error);
	while (!error && !__atomic_load_n(&start.runs, __ATOMIC_ACQUIRE))
		test_nap(1);
	return thread;
}

/* The task's line of numbers while it is blocked in a system call; false while it runs. */
static bool blocked_call(pid_t tid, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/syscall", tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	return text[0] >= '0' && text[0] <= '9';
}

void test_await_sleep(pid_t tid)
{
	char first[256], now[256];
	int same = 0;

	first[0] = '\0';
	for (int i = 0; same < 3; i++) {
		expect(i < 3000, "set-up: task %d never came to rest in a system call", tid);
		if (blocked_call(tid, now, sizeof now) && strcmp(now, first) == 0)
			same++;
		else
			same = 0;
		strcpy(first, now);
		test_nap(1);
	}
}

static uint64_t pattern_word(uint64_t index, uint64_t seed)
{
	uint64_t word = (index + 1) * UINT64_C(0x9e3779b97f4a7c15) + seed * UINT64_C(0xd1342543de82ef95);

	word ^= word >> 29;
	word *= UINT64_C(0xbf58476d1ce4e5b9);
	return word ^ word >> 32;
}

void fill_pattern(void *area, size_t size, uint64_t seed)
{
	char *bytes = area;

	for (size_t at = 0; at < size; at += 8) {
		uint64_t word = pattern_word(at / 8, seed);

		memcpy(bytes + at, &word, size - at < 8 ? size - at : 8);
	}
}

ssize_t find_difference(const void *area, size_t size, uint64_t seed)
{
	const char *bytes = area;

	for (size_t at = 0; at < size; at += 8) {
		uint64_t word = pattern_word(at / 8, seed);

		if (memcmp(bytes + at, &word, size - at < 8 ? size - at : 8))
			return at;
	}
	return -1;
}

void expect_pattern(const char *what, const void *area, size_t size, uint64_t seed)
{
	ssize_t at = find_difference(area, size, seed);

	expect(at < 0, "%s: differs at offset %#zx of %#zx (address %p)", what, (size_t)at, size,
	       (const void *)((const char *)area + at));
}

void expect_zero(const char *what, const void *area, size_t size)
{
	const unsigned char *bytes = area;

	for (size_t at = 0; at < size; at++)
		expect(bytes[at] == 0, "%s: 0x%02x instead of zero at offset %#zx", what, bytes[at], at);
}

void test_expect_message(const char *format, ...)
{
	va_list arguments;
	int fd = must(open(test_path("expect"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));

	va_start(arguments, format);
	vdprintf(fd, format, arguments);
	va_end(arguments);
	dprintf(fd, "\n");
	close(fd);
}

void test_check_is_blind(void)
{
	close(must(open(test_path("check-is-blind"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)));
}

void test_continue(void)
{
	publish("ready", "");
	test_hold();
	if (breaking)
		test_break();
	test_check();
	test_pass();
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [CASE]\n", argv[0]);
		return 2;
	}
	test_moved(argv[1]);
	root_pid = getpid();
	if (argc > 2)
		argument = argv[2];
	const char *value = getenv("MEANWHILE");

	if (value) {
		*value == '1' ? test_meanwhile() : test_left();
		return 0;
	}
	value = getenv("BREAK");

	breaking = value && *value == '1';
	test_setup();
	test_continue();
}
