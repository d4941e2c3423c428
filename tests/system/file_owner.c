/* SPDX-License-Identifier: MIT */
/* A file that an ordinary user could no longer open: opened as root, then the process became somebody else. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fd;
static char *area;

void test_setup(void)
{
	if (geteuid())
		test_skip("only root can give its rights away");
	fd = must(open(test_path("secret"), O_RDWR | O_CREAT, 0600));
	must(write(fd, "only root may open this", 23));
	area = must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	must(setresgid(1800, 1800, 1800));
	must(setresuid(1800, 1800, 1800));
}

void test_break(void)
{
	close(fd);
}

void test_check(void)
{
	char text[24] = "";

	expect(pread(fd, text, 23, 0) == 23 && strcmp(text, "only root may open this") == 0, "the file holds \"%s\"", text);
	expect(memcmp(area, "only", 4) == 0, "the mapping holds %.4s", area);
	expect(open(test_path("secret"), O_RDONLY) == -1 && errno == EACCES, "the file can be opened");
}
