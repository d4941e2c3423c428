/* SPDX-License-Identifier: MIT */
/* Paths below another root directory: openat2(2) and the way without it find the same, and nothing outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/root_fs.h"

static char top[64];
static int root;

static void make_file(const char *path)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static int make(void **state)
{
	static const struct {
		const char *to, *at;
	} links[] = {
		{ "/usr/lib", "lib" }, { "usr/lib", "relative" }, { "../../../../etc/passwd", "climbs" }, { "/etc/passwd", "absolute" },
		{ "loop", "loop" }, { "b", "a" }, { "a", "b" }, { "..", "usr/up" }, { "/", "usr/lib/top" }, { "file/", "usr/lib/slashed" },
		{ "../lib/./file", "usr/lib/roundabout" }, { "/absent", "dangling" }, { "//usr//lib//", "doubled" },
	};

	(void)state;
	strcpy(top, "/tmp/test_root_fs.XXXXXX");
	assert_non_null(mkdtemp(top));
	root = open(top, O_PATH | O_DIRECTORY);
	assert_int_equal(mkdirat(root, "usr", 0755), 0);
	assert_int_equal(mkdirat(root, "usr/lib", 0755), 0);
	make_file("usr/lib/file");
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		assert_int_equal(symlinkat(links[i].to, root, links[i].at), 0);
	return 0;
}

static int unmake(void **state)
{
	char command[128];

	(void)state;
	close(root);
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

/* What is found is named by its path below the root; what is not, by the error. */
static void both(const char *path, bool nofollow, const char *there, int error)
{
	int (*const ways[])(int root, const char *path, bool nofollow) = { root_fs_find, root_fs_walk };

	for (int i = 0; i < 2; i++) {
		char link[64], found[4096] = "";
		int fd = ways[i](root, path, nofollow);

		if (error) {
			assert_int_equal(fd, -1);
			assert_int_equal(errno, error);
			continue;
		}
		assert_true(fd >= 0);
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		assert_true(readlink(link, found, sizeof(found) - 1) > 0);
		close(fd);
		assert_memory_equal(found, top, strlen(top));
		assert_string_equal(found + strlen(top), there);
	}
}

static void what_is_there(void **state)
{
	(void)state;
	both("/", false, "", 0);
	both("/usr/lib/file", false, "/usr/lib/file", 0);
	both("usr//lib/./file", false, "/usr/lib/file", 0);
	both("/usr/lib/../lib/file", false, "/usr/lib/file", 0);
	both("/../../usr/lib/..", false, "/usr", 0);
	both("/..", false, "", 0);
}

static void links(void **state)
{
	(void)state;
	both("/lib/file", false, "/usr/lib/file", 0);
	both("/relative/file", false, "/usr/lib/file", 0);
	both("/doubled/file", false, "/usr/lib/file", 0);
	both("/usr/lib/roundabout", false, "/usr/lib/file", 0);
	both("/usr/lib/top/usr/up/lib/file", false, "/usr/lib/file", 0);
	both("/usr/up", false, "", 0);
	both("/usr/lib/top", false, "", 0);
	both("/usr/lib/top/", false, "", 0);
	both("/usr/lib/top", true, "/usr/lib/top", 0);
	both("/lib", true, "/lib", 0);
	both("/climbs", true, "/climbs", 0);
	both("/lib/file", true, "/usr/lib/file", 0);
}

static void what_is_not_there(void **state)
{
	(void)state;
	both("/absent", false, NULL, ENOENT);
	both("/dangling", false, NULL, ENOENT);
	both("/absent/..", false, NULL, ENOENT);
	both("/climbs", false, NULL, ENOENT);
	both("/absolute", false, NULL, ENOENT);
	both("/loop", false, NULL, ELOOP);
	both("/a", false, NULL, ELOOP);
	both("/usr/lib/file/", false, NULL, ENOTDIR);
	both("/usr/lib/file/..", false, NULL, ENOTDIR);
	both("/usr/lib/slashed", false, NULL, ENOTDIR);
}

static void long_ones(void **state)
{
	static char path[8192];

	(void)state;
	memset(path, 'x', 300);
	both(path, false, NULL, ENAMETOOLONG);
	for (size_t i = 0; i + 2 < sizeof(path); i += 2)
		memcpy(path + i, "./", 3);
	both(path, false, NULL, ENAMETOOLONG);
	path[4000] = '\0';
	both(path, false, "", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there), cmocka_unit_test(links), cmocka_unit_test(what_is_not_there), cmocka_unit_test(long_ones),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
