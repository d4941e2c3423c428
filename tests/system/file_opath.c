/* SPDX-License-Identifier: MIT */
/* O_PATH descriptors, of a file, a directory and a symbolic link itself: they lead somewhere, and allow no more. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file, directory, symbolic;

void test_setup(void)
{
	close(must(open(test_path("file"), O_WRONLY | O_CREAT, 0644)));
	must(mkdir(test_path("directory"), 0755));
	must(symlink("file", test_path("link")));
	file = must(open(test_path("file"), O_PATH));
	directory = must(open(test_path("directory"), O_PATH | O_DIRECTORY | O_CLOEXEC));
	symbolic = must(open(test_path("link"), O_PATH | O_NOFOLLOW));
}

void test_break(void)
{
	int plain = must(open(test_path("file"), O_RDWR));

	must(dup2(plain, file));
	close(plain);
}

void test_check(void)
{
	struct stat status, by_path;
	char target[32] = "";

	must(fstat(file, &status));
	must(stat(test_path("file"), &by_path));
	expect(status.st_ino == by_path.st_ino, "another file");
	expect(read(file, target, 1) == -1 && errno == EBADF, "the file can be read through O_PATH");
	expect(fcntl(file, F_GETFL) & O_PATH, "flags are 0%o", fcntl(file, F_GETFL));
	close(must(openat(directory, "new", O_WRONLY | O_CREAT, 0644)));
	must(stat(test_path("directory/new"), &by_path));
	expect(fcntl(directory, F_GETFD) == FD_CLOEXEC, "close-on-exec is lost");
	expect(readlinkat(symbolic, "", target, sizeof target - 1) == 4 && strcmp(target, "file") == 0,
	       "the link leads to \"%s\"", target);
}
