/* SPDX-License-Identifier: MIT */
/* /proc/PID/coredump_filter. */
#include "selfview.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char path[] = "/proc/self/coredump_filter";

static void set(const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		test_skip("this kernel writes no core dumps");
	must(write(fd, value, 4));
	close(fd);
}

static long get(void)
{
	char text[32];

	file_content(path, text, sizeof text);
	return strtol(text, NULL, 16);
}

void test_setup(void)
{
	set("0x5f");
}

void test_break(void)
{
	set("0x33");
}

void test_check(void)
{
	expect(get() == 0x5f, "the filter is %#lx", get());
}
