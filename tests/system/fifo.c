/* SPDX-License-Identifier: MIT */
/* Named pipes with data in them: opened for both, by two descriptors, by one end only, and one that was unlinked. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int both, reader, writer, lonely_reader, unlinked;

static int open_fifo(const char *name, int flags)
{
	if (access(test_path(name), F_OK))
		must(mkfifo(test_path(name), 0622));
	return must(open(test_path(name), flags));
}

void test_setup(void)
{
	both = open_fifo("both", O_RDWR);
	must(write(both, "in both", 7));
	reader = open_fifo("pair", O_RDONLY | O_NONBLOCK);
	writer = open_fifo("pair", O_WRONLY);
	must(write(writer, "in the pair", 11));
	lonely_reader = open_fifo("lonely", O_RDONLY | O_NONBLOCK);
	unlinked = open_fifo("unlinked", O_RDWR);
	must(write(unlinked, "in the dark", 11));
	must(unlink(test_path("unlinked")));
}

void test_break(void)
{
	char byte;

	must(read(reader, &byte, 1));
}

static void expect_text(int fd, const char *wanted)
{
	char text[32] = "";

	expect(read(fd, text, 31) == (ssize_t)strlen(wanted) && strcmp(text, wanted) == 0, "\"%s\" instead of \"%s\"", text, wanted);
}

void test_check(void)
{
	char byte;

	expect_text(both, "in both");
	expect_text(reader, "in the pair");
	expect(read(reader, &byte, 1) == -1 && errno == EAGAIN, "reader: no EAGAIN");
	must(write(writer, "more", 4));
	expect_text(reader, "more");
	close(writer);
	expect(read(reader, &byte, 1) == 0, "no end of file: a writer too many");
	expect(read(lonely_reader, &byte, 1) == 0, "the lonely reader has a writer");
	/* It is still the same FIFO that others open by name. */
	int other = must(open(test_path("lonely"), O_WRONLY | O_NONBLOCK));

	must(write(other, "hello", 5));
	expect_text(lonely_reader, "hello");
	expect_text(unlinked, "in the dark");
}
