/* SPDX-License-Identifier: MIT */
/* Which symbolic links are followed, and which names there are. */
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

#include "base/path.h"

static char top[32], path[600];

/* A path below the folder. */
static const char *at(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static int make(void **state)
{
	char target[64];

	(void)state;
	strcpy(top, "/tmp/test_path.XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(mkdir(at("folder"), 0755), 0);
	close(open(at("folder/file"), O_WRONLY | O_CREAT, 0644));
	snprintf(target, sizeof(target), "%s/folder/file", top);
	assert_int_equal(symlink(target, at("file-link")), 0);
	target[strlen(target) - strlen("/file")] = '\0';
	assert_int_equal(symlink(target, at("folder-link")), 0);
	close(open(at("file"), O_WRONLY | O_CREAT, 0644));
	return 0;
}

static int unmake(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

/* 0, or errno. */
static int opened(const char *name, int flags)
{
	int fd = path_open(at(name), flags, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int removed(const char *name)
{
	return path_unlink(at(name)) ? errno : 0;
}

/* A folder that only root, or who asks, can write to may lead elsewhere; one that others can write to may not. */
static void links(void **state)
{
	static const struct {
		mode_t mode;
		uid_t owner;
		bool guarded;
	} folders[] = {
		{ 0700, 0, true }, { 0755, 0, true }, { 0775, 0, false }, { 0757, 0, false }, { 01777, 0, false }, { 0755, 65534, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		const bool guarded = folders[i].guarded;

		assert_int_equal(chmod(top, folders[i].mode), 0);
		if (folders[i].owner && chown(top, folders[i].owner, 0))
			continue;	/* not root */
		assert_int_equal(path_is_guarded(at("file")), guarded);
		assert_int_equal(opened("file", O_RDONLY), 0);
		assert_int_equal(opened("folder/file", O_RDWR), 0);
		assert_int_equal(opened("file-link", O_RDONLY), guarded ? 0 : ELOOP);
		assert_int_equal(opened("file-link", O_RDONLY | O_NOFOLLOW), ELOOP);
		assert_int_equal(opened("folder-link/file", O_RDONLY), guarded ? 0 : ENOTDIR);
		assert_int_equal(opened("folder-link/none", O_RDONLY), guarded ? ENOENT : ENOTDIR);
		assert_int_equal(opened("none", O_RDONLY), ENOENT);
		assert_int_equal(removed("folder-link/none"), guarded ? ENOENT : ENOTDIR);
	}
	assert_int_equal(chown(top, geteuid(), 0), 0);
	assert_int_equal(chmod(top, 0700), 0);
}

static void names(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_int_equal(opened(name, O_RDONLY), ENOENT);
	assert_int_equal(removed(name), ENOENT);
	strcpy(name + 255, "/x");
	assert_int_equal(removed(name), ENOENT);
	strcpy(name + 255, "n/x");
	assert_int_equal(removed(name), ENAMETOOLONG);
	assert_int_equal(removed("folder//file"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(links), cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, make, unmake);
}
