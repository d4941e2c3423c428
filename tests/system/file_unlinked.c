/* SPDX-License-Identifier: MIT */
/* Unlinked files that are still open: content, holes, mode, owner; their path stays free or belongs to another file. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOLE = 4 << 20 };

static int plain, replaced, sparse, reading, writing, empty, shared;
static pid_t child;

static void body(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
	while (lseek(shared, 0, SEEK_CUR) != 3)
		test_nap(1);
	must(lseek(shared, 9, SEEK_SET));
}

static int make(const char *name, const char *content, mode_t mode)
{
	int fd = must(open(test_path(name), O_RDWR | O_CREAT | O_EXCL, mode));

	must(write(fd, content, strlen(content)));
	return fd;
}

void test_setup(void)
{
	plain = make("plain", "plain content", 0604);
	must(fchown(plain, 1700, 1701));
	must(fchmod(plain, 06705));	/* which chown(2) takes away again */
	must(unlink(test_path("plain")));
	replaced = make("replaced", "old content", 0644);
	must(unlink(test_path("replaced")));
	close(make("replaced", "new content", 0644));
	sparse = make("sparse", "begin", 0600);
	must(pwrite(sparse, "middle", 6, HOLE));
	must(ftruncate(sparse, 2 * HOLE));
	must(unlink(test_path("sparse")));
	/* Two open files of one unlinked inode. */
	close(make("pair", "0123456789", 0644));
	reading = must(open(test_path("pair"), O_RDONLY));
	writing = must(open(test_path("pair"), O_WRONLY));
	must(lseek(reading, 4, SEEK_SET));
	must(lseek(writing, 6, SEEK_SET));
	must(unlink(test_path("pair")));
	empty = make("empty", "", 0644);
	must(unlink(test_path("empty")));
	shared = make("shared", "shared", 0644);
	must(unlink(test_path("shared")));
	must(lseek(shared, 0, SEEK_SET));
	child = test_child(body, NULL);
}

void test_break(void)
{
	must(pwrite(sparse, "x", 1, HOLE / 2));
}

static void expect_content(const char *what, int fd, off_t at, const char *content)
{
	char text[64] = "";

	must(pread(fd, text, strlen(content), at));
	expect(strcmp(text, content) == 0, "%s holds \"%s\" instead of \"%s\"", what, text, content);
}

void test_check(void)
{
	static char buffer[HOLE];
	struct stat status;
	char text[16] = "";

	expect_content("plain", plain, 0, "plain content");
	must(fstat(plain, &status));
	expect(status.st_nlink == 0 && status.st_size == 13, "plain: %d links, %lld bytes", (int)status.st_nlink, (long long)status.st_size);
	expect((status.st_mode & 07777) == 06705 && status.st_uid == 1700 && status.st_gid == 1701, "plain: mode %o, owner %d:%d",
	       status.st_mode, status.st_uid, status.st_gid);
	expect(lseek(plain, 0, SEEK_CUR) == 13, "plain: offset %lld", (long long)lseek(plain, 0, SEEK_CUR));
	expect(access(test_path("plain"), F_OK) == -1, "the unlinked file has a name again");
	expect_content("replaced", replaced, 0, "old content");
	expect_content("its successor", must(open(test_path("replaced"), O_RDONLY)), 0, "new content");
	expect_content("sparse", sparse, 0, "begin");
	expect_content("sparse", sparse, HOLE, "middle");
	must(fstat(sparse, &status));
	expect(status.st_size == 2 * HOLE, "sparse: %lld bytes", (long long)status.st_size);
	expect(status.st_blocks * 512 < HOLE / 4, "the holes were filled: %lld blocks", (long long)status.st_blocks);
	must(pread(sparse, buffer, HOLE - 5, 5));
	expect_zero("first hole", buffer, HOLE - 5);
	must(pread(sparse, buffer, HOLE - 6, HOLE + 6));
	expect_zero("second hole", buffer, HOLE - 6);
	must(write(writing, "X", 1));
	expect(read(reading, text, 3) == 3 && strcmp(text, "45X") == 0, "the pair is no pair any more: \"%s\"", text);
	must(fstat(empty, &status));
	expect(status.st_size == 0, "empty: %lld bytes", (long long)status.st_size);
	must(lseek(shared, 3, SEEK_SET));
	test_join(child);
	expect(lseek(shared, 0, SEEK_CUR) == 9, "the unlinked file is not shared with the child");
}
