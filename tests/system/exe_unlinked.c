/* SPDX-License-Identifier: MIT */
/* The program's own file is gone, as after an update of the firmware under a running service. */
#include "testlib.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char constant[] = "from the file of the program";
static char variable[64] = "initialised, then changed";
static char executable[4096];

/* Runs on as a copy of itself inside DIR. */
static void become_copy(void)
{
	char directory[4096], copy[4096];
	struct stat status;
	int from = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	int to = must(open(test_path("copy"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));

	must(fstat(from, &status));
	for (off_t left = status.st_size; left > 0;)
		left -= must(sendfile(to, from, NULL, left));
	close(to);
	strcpy(copy, test_path("copy"));
	strcpy(directory, test_path(""));
	setenv("IS_COPY", "1", 1);
	execl(copy, copy, directory, NULL);
	test_fail("set-up: exec: errno %d", errno);
}

void test_setup(void)
{
	if (!getenv("IS_COPY"))
		become_copy();
	must(unlink(test_path("copy")));
	strcpy(variable, "changed");
	must(readlink("/proc/self/exe", executable, sizeof executable - 1));
	expect(strstr(executable, "(deleted)"), "set-up: exe is %s", executable);
}

void test_break(void)
{
	variable[0] = 'C';
}

void test_check(void)
{
	struct stat status;
	char magic[4] = "";
	int fd = must(open("/proc/self/exe", O_RDONLY));

	expect(strcmp(constant, "from the file of the program") == 0 && strcmp(variable, "changed") == 0, "\"%s\", \"%s\"",
	       constant, variable);
	must(read(fd, magic, 4));
	expect(memcmp(magic, "\177ELF", 4) == 0, "exe is no program");
	must(fstat(fd, &status));
	expect(status.st_nlink == 0, "exe has %d links", (int)status.st_nlink);
	expect(access(test_path("copy"), F_OK) == -1, "the file is there again");
}
