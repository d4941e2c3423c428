/* SPDX-License-Identifier: MIT */
/* Files and directories that were opened through symbolic links, whose names hold what confuses parsers. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {"with space", "new\nline", "(deleted)", "file (deleted)", "per%cent\\x41", "\xff\xfe"};
enum { NAMES = sizeof names / sizeof *names };

static int through_link, through_directory, named[NAMES];

static const char *inside(const char *name)
{
	static char path[64];

	strcpy(path, "real/");
	strcat(path, name);
	return path;
}

void test_setup(void)
{
	must(mkdir(test_path("real"), 0755));
	close(must(open(test_path("real/file"), O_WRONLY | O_CREAT, 0644)));
	must(symlink("real", test_path("directory")));
	must(symlink("directory/file", test_path("link")));
	through_link = must(open(test_path("link"), O_RDWR));
	through_directory = must(open(test_path("directory"), O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < NAMES; i++) {
		named[i] = must(open(test_path(inside(names[i])), O_RDWR | O_CREAT, 0644));
		must(write(named[i], names[i], strlen(names[i])));
	}
}

void test_break(void)
{
	must(dup2(through_link, named[3]));
}

static void expect_same_file(int fd, const char *path)
{
	struct stat status, by_path;

	must(fstat(fd, &status));
	must(stat(path, &by_path));
	expect(status.st_ino == by_path.st_ino && status.st_dev == by_path.st_dev, "descriptor %d is not %s", fd, path);
}

void test_check(void)
{
	expect_same_file(through_link, test_path("real/file"));
	expect_same_file(through_directory, test_path("real"));
	for (int i = 0; i < NAMES; i++) {
		expect_same_file(named[i], test_path(inside(names[i])));
		expect(lseek(named[i], 0, SEEK_CUR) == (off_t)strlen(names[i]), "offset in \"%s\"", names[i]);
	}
}
