/* SPDX-License-Identifier: MIT */
/* O_APPEND: what others write in the meantime is not overwritten; the file is neither truncated nor created anew. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int log_fd;

void test_setup(void)
{
	log_fd = must(open(test_path("file"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600));
	must(write(log_fd, "one.", 4));
}

void test_break(void)
{
	must(fcntl(log_fd, F_SETFL, 0));
	must(lseek(log_fd, 0, SEEK_SET));
}

void test_check(void)
{
	char text[64] = "";
	int other = must(open(test_path("file"), O_WRONLY | O_APPEND));

	must(write(other, "two.", 4));
	must(write(log_fd, "three.", 6));
	int reader = must(open(test_path("file"), O_RDONLY));

	must(read(reader, text, sizeof text - 1));
	expect(strcmp(text, "one.two.three.") == 0, "the file holds \"%s\"", text);
}
