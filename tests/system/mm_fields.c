/* SPDX-License-Identifier: MIT */
/* What /proc says about the program: arguments (overwritten as setproctitle does), environment, auxiliary vector, exe. */
#include "selfview.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

extern char **environ;

static struct {
	const char *path;
	char text[8192];
	size_t length;
} files[] = {{.path = "/proc/self/cmdline"}, {.path = "/proc/self/environ"}, {.path = "/proc/self/auxv"}};

static char executable[4096];
static unsigned long numbers[32];
static const int fields[] = {26, 27, 28, 45, 46, 47, 48, 49, 50, 51};
enum { FIELDS = sizeof fields / sizeof *fields };
static char title[] = "title: waiting";

void test_setup(void)
{
	unsigned long arg_start = stat_value(getpid(), 48), arg_end = stat_value(getpid(), 49);

	if (arg_end - arg_start > sizeof title)
		memcpy((char *)arg_start, title, sizeof title);
	setenv("TINYCKPT_TEST", "changed later, so not in /proc", 1);
	for (int i = 0; i < 3; i++)
		files[i].length = file_content(files[i].path, files[i].text, sizeof files[i].text);
	must(readlink("/proc/self/exe", executable, sizeof executable - 1));
	for (int i = 0; i < FIELDS; i++)
		numbers[i] = stat_value(getpid(), fields[i]);
}

void test_break(void)
{
	((char *)stat_value(getpid(), 48))[2] = '!';
}

void test_check(void)
{
	char now[8192];

	for (int i = 0; i < 3; i++) {
		size_t length = file_content(files[i].path, now, sizeof now);

		expect(length == files[i].length && memcmp(now, files[i].text, length) == 0, "%s differs: %zu and %zu bytes",
		       files[i].path, files[i].length, length);
	}
	memset(now, 0, sizeof now);
	must(readlink("/proc/self/exe", now, sizeof now - 1));
	expect(strcmp(now, executable) == 0, "exe was %s and is %s", executable, now);
	for (int i = 0; i < FIELDS; i++)
		expect(stat_value(getpid(), fields[i]) == numbers[i], "field %d of stat was %lx and is %lx", fields[i], numbers[i],
		       stat_value(getpid(), fields[i]));
	expect(getauxval(AT_PAGESZ) == (unsigned long)sysconf(_SC_PAGESIZE), "AT_PAGESZ is lost");
	expect(getenv("TINYCKPT_TEST") != NULL, "the environment is lost");
	/* The area that arg_start points at is still the process's own. */
	strcpy((char *)numbers[6], "after");
	file_content("/proc/self/cmdline", now, sizeof now);
	expect(strcmp(now, "after") == 0, "cmdline does not follow the arguments: %s", now);
}
