/* SPDX-License-Identifier: MIT */
/* What the files of services come to, beyond what tests/services sees of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "service/conf.h"

static char directory[32];
static struct buffer services;

static const struct option save_options[] = {
	{ "level", required_argument, NULL, 'l' }, { "embed", optional_argument, NULL, 'E' }, { "inherit-stdio", no_argument, NULL, 'I' },
	{ "output", required_argument, NULL, 'o' }, { "key", required_argument, NULL, 'k' }, { 0 },
};
static const struct option restore_options[] = {
	{ "key", required_argument, NULL, 'k' }, { "pidfile", required_argument, NULL, 'p' }, { "clock", required_argument, NULL, 'c' }, { 0 },
};

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_conf.XXXXXX");
	log_init(NULL, LOG_QUIET, 2);
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	services_free(&services);
	return remove_folder(directory);
}

static void put(const char *name, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.conf", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	close(fd);
}

/* Reads it all; the nth. */
static const struct service *service(size_t n)
{
	services_free(&services);
	assert_int_equal(services_read(&services, directory, NULL, save_options, restore_options), 0);
	assert_true(n < services.len / sizeof(struct service));
	return (const struct service *)(const void *)services.data + n;
}

static void defaults(void **state)
{
	const struct service *s;

	(void)state;
	put("a", "command=x\n");
	s = service(0);
	assert_int_equal(s->err, 0);
	assert_int_equal(s->settle, 2);	/* as tinyckpt.conf(5) tells */
	assert_int_equal(s->timeout, 120);
	assert_null(s->start);
	assert_int_equal(s->save.len + s->restore.len, 0);
}

static void in_the_order_of_names(void **state)
{
	static const char *const names[] = { "m", "b", "z", "a", "b-1" }, *const sorted[] = { "a", "b", "b-1", "m", "z" };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		put(names[i], "command=x\n");
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(service(i)->name, sorted[i]);
}

static void has(const struct buffer *words, const char *wanted, size_t len)
{
	assert_int_equal(words->len, len);
	assert_memory_equal(words->data, wanted, len);
}
#define HAS(words, wanted) has(&(words), wanted, sizeof(wanted) - 1)

static void options(void **state)
{
	const struct service *s;

	(void)state;
	put("a", "command=x\nlevel=1\nembed=yes\ninherit-stdio=yes\nkey=/k\nclock=tell\n");
	s = service(0);
	assert_int_equal(s->err, 0);
	HAS(s->save, "--level=1\0--embed\0--inherit-stdio\0--key=/k\0");
	HAS(s->restore, "--key=/k\0--clock=tell\0");
	put("a", "command=x\nembed=no\ninherit-stdio=no\n");
	assert_int_equal(service(0)->save.len, 0);
	put("a", "command=x\nembed=changed-risk\n");
	HAS(service(0)->save, "--embed=changed-risk\0");
}

static void limits(void **state)
{
	static const struct {
		const char *text;
		int err;
	} files[] = {
		{ "command=x\nsettle=86400\ntimeout=0\n", 0 }, { "command=x\nsettle=86401\n", -EUSAGE }, { "command=x\ntimeout=86401\n", -EUSAGE },
		{ "command=x\noutput=/x\n", -EUSAGE }, { "pidfile=/x\ncommand=x\n", 0 }, { "pidfile=/x\ncgroup=/x\n", -EUSAGE },
		{ "cgroup=/x\n", 0 }, { "cgroup=x\n", -EUSAGE }, { "unit=x\n", 0 }, { "unit=x\ncommand=x\n", -EUSAGE },
		{ "pidfile=/x\npidfile=/x\n", -EUSAGE }, { "", -EUSAGE }, { "command=\tx\ty\n", 0 }, { "command=x\x7f\n", -EUSAGE },
	};
	char name[80];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		put("a", files[i].text);
		if (service(0)->err != files[i].err)
			print_error("of this became another: %s\n", files[i].text);
		assert_int_equal(service(0)->err, files[i].err);
	}
	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	put(name, "command=x\n");
	assert_string_equal(service(1)->name, name);
	name[64] = 'n', name[65] = '\0';
	put(name, "command=x\n");
	services_free(&services);
	assert_int_equal(services_read(&services, directory, name, save_options, restore_options), -EUSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(in_the_order_of_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(options, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
