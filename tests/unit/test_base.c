/* SPDX-License-Identifier: MIT */
/* Messages, contexts, escaping, buffers, whole reads and writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"

static int log_file;
static char text[4096];

/* What was logged since the last call. */
static const char *logged(void)
{
	ssize_t n = pread(log_file, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(ftruncate(log_file, 0), 0);
	assert_int_equal(lseek(log_file, 0, SEEK_SET), 0);
	return text;
}

static int set_up(void **state)
{
	(void)state;
	log_file = memfd_create("log", MFD_CLOEXEC);
	log_init("save", LOG_NOTICE, log_file);
	return log_file < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(log_file);
	log_init(NULL, LOG_NOTICE, 2);
	return 0;
}

/* An error that nobody has said is said in the end; one that was is not said again. */
static void test_unsaid(void **state)
{
	(void)state;
	log_unsaid(-ENOSPC);
	assert_string_equal(logged(), "tinyckpt: save: No space left on device\n");
	log_unsaid(-ENOSPC);
	assert_string_equal(logged(), "");
}

static void test_levels(void **state)
{
	(void)state;
	log_notice("seen %d", 1);
	assert_string_equal(logged(), "tinyckpt: save: seen 1\n");
	log_info("not seen");
	log_debug("not seen");
	assert_string_equal(logged(), "");
	log_warning("odd");
	assert_string_equal(logged(), "tinyckpt: save: warning: odd\n");
	log_init("save", LOG_DEBUG, log_file);
	log_info("a");
	log_debug("b");
	assert_string_equal(logged(), "tinyckpt: save: a\ntinyckpt: save: b\n");
	log_init(NULL, LOG_ERROR, log_file);
	log_warning("not seen");
	assert_int_equal(fail(EIO, "seen"), -EIO);
	assert_string_equal(logged(), "tinyckpt: seen\n");
	log_init(NULL, LOG_QUIET, log_file);
	assert_int_equal(fail(EIO, "not seen"), -EIO);
	assert_string_equal(logged(), "");
}

static void test_fail(void **state)
{
	(void)state;
	assert_int_equal(fail(ENOENT, "x"), -ENOENT);
	assert_int_equal(fail(-ENOENT, "x"), -ENOENT);
	assert_int_equal(fail(EIMAGE, "x"), -EIMAGE);
	assert_int_equal(fail(-EHOLDS, "x"), -EHOLDS);
	assert_true(fail(0, "x") < 0);
	logged();
	errno = ENOSPC;
	assert_int_equal(fail_errno("fd %d", 7), -ENOSPC);
	assert_string_equal(logged(), "tinyckpt: save: fd 7: No space left on device\n");
	errno = 0;
	assert_true(fail_errno("x") < 0);
	logged();
	errno = EPERM;
	log_notice("x");
	{
		CONTEXT("%s", "y");
	}
	assert_int_equal(errno, EPERM);
}

static int failing(void)
{
	CONTEXT("fd %d", 7);
	return fail(EHOLDS, "a reason");
}

static void test_context(void **state)
{
	(void)state;
	{
		CONTEXT("pid %d (%s)", 42, "sensor");
		assert_int_equal(failing(), -EHOLDS);
		assert_string_equal(logged(), "tinyckpt: save: pid 42 (sensor): fd 7: a reason\n");
		CONTEXT("more");
		log_notice("x");
		assert_string_equal(logged(), "tinyckpt: save: pid 42 (sensor): more: x\n");
	}
	log_notice("x");
	assert_string_equal(logged(), "tinyckpt: save: x\n");
}

static void nest(int depth)
{
	CONTEXT("a context of some length, number %d", depth);
	if (depth)
		nest(depth - 1);
	else
		log_notice("deep");
}

static void test_bounds(void **state)
{
	char *big = malloc(100000);
	const char *line;

	(void)state;
	memset(big, 'a', 99999);
	big[99999] = '\0';
	nest(100);
	line = logged();
	assert_true(strlen(line) < 1024);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	log_notice("back");
	assert_string_equal(logged(), "tinyckpt: save: back\n");
	{
		CONTEXT("%s", big);
		CONTEXT("%s", big);
		log_notice("%s", big);
	}
	line = logged();
	assert_true(strlen(line) > 500 && strlen(line) < 1300);
	memset(big, 1, 99999);
	log_notice("%s", big);
	line = logged();
	assert_true(strlen(line) > 500 && strlen(line) < 1300);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_null(strchr(line, 1));
	log_init(big, LOG_NOTICE, log_file);
	memset(big, 'a', 99999);
	log_notice("x");
	assert_true(strlen(logged()) < 1300);
	free(big);
}

static void test_hostile_text(void **state)
{
	(void)state;
	log_notice("%s", "a\nb\x1b[2Jc");
	assert_string_equal(logged(), "tinyckpt: save: a\\x0ab\\x1b[2Jc\n");
	{
		CONTEXT("pid 1 (%s)", "\r");
		log_notice("x");
	}
	assert_string_equal(logged(), "tinyckpt: save: pid 1 (\\x0d): x\n");
}

static void check_escape(const char *in, const char *want)
{
	char out[256];

	assert_int_equal(escape(out, sizeof(out), in, strlen(in)), strlen(want));
	assert_string_equal(out, want);
}

static void test_escape(void **state)
{
	static const char all[] = "\x01\xc3\xa4" "b\xff\xe2\x82\xac\x7f";
	char out[32];
	size_t cap, n;

	(void)state;
	check_escape("", "");
	check_escape("plain ~ \\ text", "plain ~ \\ text");
	check_escape("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
	check_escape("\xef\xbb\xbf" "key", "\\xef\\xbb\\xbfkey");	/* a byte order mark */
	check_escape("\x7f\xc2\x9b", "\\x7f\\xc2\\x9b");             /* DEL, C1 */
	check_escape("\x9b[2J", "\\x9b[2J");                         /* C1 as one byte */
	check_escape("\xc0\x8a\xe0\x80\x8a", "\\xc0\\x8a\\xe0\\x80\\x8a"); /* overlong newlines */
	check_escape("\xed\xa0\x80\xf4\x90\x80\x80", "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80"); /* surrogate, too high */
	check_escape("\xe2\x80\xae\xe2\x81\xa6", "\\xe2\\x80\\xae\\xe2\\x81\\xa6");          /* right to left */
	check_escape("\xe2\x80\xa8", "\\xe2\\x80\\xa8");             /* line separator */
	check_escape("\xe2\x82", "\\xe2\\x82");                      /* cut short */
	assert_int_equal(escape(out, sizeof(out), "a\0b", 3), 6);
	assert_string_equal(out, "a\\x00b");
	/* However small the room, it is kept, and no escape is cut in the middle. */
	for (cap = 1; cap < sizeof(out); cap++) {
		memset(out, 'X', sizeof(out));
		n = escape(out, cap, all, sizeof(all) - 1);
		assert_true(n < cap);
		assert_int_equal(out[n], '\0');
		if (cap < sizeof(out))
			assert_int_equal(out[cap], 'X');
		assert_true(n == 0 || n == 4 || n == 6 || n == 7 || n == 11 || n == 14 || n == 18);
	}
}

/* Lines of several writers must not mix: each is one write. */
static void test_lines_do_not_mix(void **state)
{
	char name[] = "/tmp/test_base.XXXXXX";
	FILE *file;
	char line[128], want[128];
	int fd = mkstemp(name);
	int i, j, lines = 0;

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	log_init("x", LOG_NOTICE, fd);
	for (i = 0; i < 4; i++) {
		if (fork() == 0) {
			CONTEXT("writer %d", i);
			for (j = 0; j < 500; j++)
				log_notice("%040d", i);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	lseek(fd, 0, SEEK_SET);
	file = fdopen(fd, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		assert_int_equal(sscanf(line, "tinyckpt: x: writer %d", &i), 1);
		snprintf(want, sizeof(want), "tinyckpt: x: writer %d: %040d\n", i, i);
		assert_string_equal(line, want);
		lines++;
	}
	fclose(file);
	assert_int_equal(lines, 2000);
}

static void test_buffer(void **state)
{
	struct buffer b = { 0 };
	uint8_t *p;
	size_t i;

	(void)state;
	assert_int_equal(buffer_append(&b, NULL, 0), 0);
	assert_int_equal(buffer_append(&b, "abc", 3), 0);
	assert_int_equal(b.len, 3);
	for (i = 0; i < 100000; i++) {
		uint8_t byte = (uint8_t)(i * 7);

		assert_int_equal(buffer_append(&b, &byte, 1), 0);
	}
	for (i = 0; i < 100000; i++)
		assert_int_equal(b.data[3 + i], (uint8_t)(i * 7));
	assert_true(b.cap < 2 * b.len);
	p = buffer_grow(&b, 5000);
	assert_ptr_equal(p, b.data + 100003);
	for (i = 0; i < 5000; i++)
		assert_int_equal(p[i], 0);
	assert_null(buffer_grow(&b, SIZE_MAX));
	assert_null(buffer_grow(&b, SIZE_MAX - b.len));
	assert_int_equal(buffer_append(&b, "x", SIZE_MAX - 10), -ENOMEM);
	assert_int_equal(b.len, 105003);
	assert_memory_equal(b.data, "abc", 3);
	buffer_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
	buffer_free(&b);
	{
		CLEANUP_BUFFER struct buffer scoped = { 0 };

		assert_non_null(buffer_grow(&scoped, 10));
	}
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A slow pipe, small pieces, and a signal every millisecond without SA_RESTART. */
static void test_interrupted_io(void **state)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, 1000 }, { 0, 1000 } }, off = { { 0, 0 }, { 0, 0 } };
	static uint8_t out[300000], in[300000];
	struct iovec pieces[] = {
		{ out, 0 }, { out, 100001 }, { NULL, 0 }, { out + 100001, 199998 }, { out + 299999, 1 },
	};
	int ends[2], status;
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(pipe(ends), 0);
	sigaction(SIGALRM, &action, NULL);
	pid = fork();
	if (!pid) {
		setitimer(ITIMER_REAL, &timer, NULL);
		close(ends[0]);
		if (write_all(ends[1], out, sizeof(out)) || writev_all(ends[1], pieces, 5))
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (i = 0; i < 2; i++) {
		memset(in, 0, sizeof(in));
		usleep(3000);
		assert_int_equal(read_all(ends[0], in, sizeof(in)), 0);
		assert_memory_equal(in, out, sizeof(in));
	}
	assert_int_equal(read_all(ends[0], in, 1), -ENODATA);
	setitimer(ITIMER_REAL, &off, NULL);
	while (waitpid(pid, &status, 0) < 0)
		;
	assert_int_equal(status, 0);
	close(ends[0]);
}

static void test_io_ends(void **state)
{
	CLEANUP_CLOSE int fd = memfd_create("io", MFD_CLOEXEC);
	CLEANUP_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	char in[16];
	size_t len;

	(void)state;
	assert_int_equal(pwrite_all(fd, "0123456789", 10, 5), 0);
	assert_int_equal(pread_all(fd, in, 10, 5), 0);
	assert_memory_equal(in, "0123456789", 10);
	assert_int_equal(pread_all(fd, in, 10, 6), -ENODATA);
	assert_int_equal(pread_all(fd, in, 0, 600), 0);
	assert_int_equal(read_upto(fd, in, sizeof(in), &len), 0);
	assert_int_equal(len, 15);
	assert_int_equal(read_upto(fd, in, sizeof(in), &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(read_all(-1, in, 1), -EBADF);
	assert_int_equal(pread_all(-1, in, 1, 0), -EBADF);
	assert_int_equal(write_all(-1, in, 1), -EBADF);
	assert_int_equal(write_all(-1, in, 0), 0);
	assert_int_equal(pwrite_all(-1, in, 1, 0), -EBADF);
	assert_int_equal(write_all(full, in, 1), -ENOSPC);
}

static void test_scope(void **state)
{
	int kept, fd;

	(void)state;
	{
		CLEANUP_CLOSE int closed = dup(log_file);
		CLEANUP_CLOSE int handed = dup(log_file);
		CLEANUP_CLOSE int none = -1;
		CLEANUP_FREE char *memory = strdup("x");
		CLEANUP_DIR DIR *dir = opendir("/");

		assert_non_null(memory);
		assert_non_null(dir);
		assert_int_equal(none, -1);
		fd = closed;
		kept = scope_keep(&handed);
		assert_int_equal(handed, -1);
		errno = EXDEV;
	}
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_true(fcntl(kept, F_GETFD) >= 0);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unsaid, set_up, tear_down), /* before any error */
		cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_context, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lines_do_not_mix, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scope, set_up, tear_down),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_interrupted_io),
		cmocka_unit_test(test_io_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
