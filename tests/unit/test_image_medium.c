/* SPDX-License-Identifier: MIT */
/* What an image lies on: it is full, it fails, it lacks calls. The old image stays, and no litter. */
#include "target_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* No more room after any number of bytes, whatever they belong to: an error, the old image stays, and no litter. */
static void test_size_limit(void **state)
{
	struct rlimit limit = { 0, RLIM_INFINITY };
	struct stat st;
	rlim_t at;

	(void)state;
	assert_int_equal(write_image(path, 2, 1), 0);
	assert_int_equal(stat(path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	/* Closely spaced around the ends of frames, up to the last byte. */
	for (at = 0; at < (rlim_t)st.st_size; at += at % BODY_MAX < 200 || at + 8009 > (rlim_t)st.st_size ? 11 : 8009) {
		limit.rlim_cur = at;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_int_equal(write_image(path, 2, 2), -EFBIG);
		assert_int_equal(read_image(path), 1);
		assert_int_equal(entries(directory), 1);
	}
	limit.rlim_cur = (rlim_t)st.st_size - 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(write_image(path, 2, 2), -EFBIG);
	limit.rlim_cur = (rlim_t)st.st_size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(write_image(path, 2, 2), 0);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(read_image(path), 2);
	signal(SIGXFSZ, SIG_DFL);
}

/* From the 32nd body on two work on them: what fails there is said later, but always, and the old image stays. */
static void test_no_room_behind(void **state)
{
	enum { BODIES = 48 };
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	struct stat st;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(write_image(path, BODIES, 1), 0);
	assert_int_equal(stat(path, &st), 0);
	for (int i = 30; i <= BODIES; i++) {
		limit.rlim_cur = i < BODIES ? (rlim_t)i * BODY_MAX + 1000 : (rlim_t)st.st_size - 1;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_int_equal(write_image(path, BODIES, 2), -EFBIG);
		assert_int_equal(read_image(path), 1);
		assert_int_equal(entries(directory), 1);
	}
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(write_image(path, BODIES, 2), 0);
	assert_int_equal(read_image(path), 2);
	signal(SIGXFSZ, SIG_DFL);
}

static int on_full_disk(void)
{
	int i;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("small", directory, "tmpfs", 0, "size=256k"))
		return 2;
	if (write_image(path, 2, 1))
		return 3;
	/* Two old bodies and three new ones do not fit together. */
	for (i = 0; i < 5; i++) {
		if (write_image(path, 3, 2) != -ENOSPC)
			return 4;
		if (read_image(path) != 1 || entries(directory) != 1)
			return 5;
	}
	if (write_image(path, 1, 3) || read_image(path) != 3)
		return 6;
	return 0;
}

static void test_full_disk(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid)
		_exit(on_full_disk());
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2) {
		print_message("skip reason: no right to mount a small file system\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What try() returns in a process of its own, where calls may be taken away. */
static int apart(int (*try)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(-try());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : 1;
}

static bool of_directory;
static int sync_error;

static int replace_unsynced(void)
{
	struct image_writer w;
	int err = image_create(&w, path, NULL);

	if (!err)
		err = write_some(&w, 1, 2);
	take_away(SYS_fsync, 0, true, (unsigned int)(of_directory ? w.target.directory : w.target.fd), (unsigned int)sync_error);
	return end_image(&w, err);
}

/* An image takes its name when it is on its medium, no sooner, and is there when its name is. */
static void test_sync(void **state)
{
	(void)state;
	assert_int_equal(write_image(path, 1, 1), 0);
	of_directory = false;
	sync_error = EIO;
	assert_int_equal(apart(replace_unsynced), -EIO);
	assert_int_equal(read_image(path), 1);
	assert_int_equal(entries(directory), 1);
	of_directory = true;
	assert_int_equal(apart(replace_unsynced), -EIO);
	assert_int_equal(read_image(path), 2);
	assert_int_equal(entries(directory), 1);
	sync_error = EINVAL;	/* there is nothing to sync */
	assert_int_equal(apart(replace_unsynced), 0);
	of_directory = false;
	assert_int_equal(apart(replace_unsynced), 0);
}

static int write_by_parts(void)
{
	struct image_writer w;
	int err = image_create(&w, path, NULL);

	w.target.part = 3 * BODY_MAX;
	if (sync_error)
		take_away(SYS_sync_file_range, 0, true, (unsigned int)w.target.fd, (unsigned int)sync_error);
	for (int i = 0; !err && i < 20; i++) {
		err = write_some(&w, 1, 3);
		if (!err && w.target.written - w.target.begun >= w.target.part)
			err = -E2BIG;	/* waits in the page cache */
	}
	return end_image(&w, err);
}

/* Parts of a large image are on their way to the medium before the rest is there; that they do not arrive is told. */
static void test_parts(void **state)
{
	(void)state;
	sync_error = 0;
	assert_int_equal(apart(write_by_parts), 0);
	assert_int_equal(read_image(path), 3);
	sync_error = EIO;
	assert_int_equal(apart(write_by_parts), -EIO);
	assert_int_equal(read_image(path), 3);
	assert_int_equal(entries(directory), 1);
}

static int no_tmpfile;

static int write_without_tmpfile(void)
{
	take_tmpfile_away((unsigned int)no_tmpfile);
	return write_image(path, 1, 4);
}

/* A file that was made without a name gets one by /proc, too: by its descriptor it may not, without the right to. */
static int write_without_right(void)
{
	take_away(SYS_linkat, 4, false, AT_EMPTY_PATH, ENOENT);
	return write_image(path, 1, 5) ?: write_image(path, 1, 6);
}

static void test_other_ways(void **state)
{
	static const int errors[] = { EOPNOTSUPP, EISDIR, EINVAL, ENOSYS, ENOENT };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		no_tmpfile = errors[i];
		assert_int_equal(apart(write_without_tmpfile), 0);
		assert_int_equal(read_image(path), 4);
		unlink(path);
	}
	assert_int_equal(apart(write_without_right), 0);
	assert_int_equal(read_image(path), 6);
	assert_int_equal(entries(directory), 1);
}

/* The same bytes take a fixed working set, whatever the image's size. */
static void test_memory(void **state)
{
	struct image_writer w;
	struct image_totals totals = { 0 };
	struct rusage before, after;

	(void)state;
	assert_int_equal(image_create(&w, path, NULL), 0);
	assert_int_equal(write_some(&w, 1, 1), 0);
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(write_some(&w, 200, 1), 0);
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	assert_int_equal(read_image(path), 1);
	getrusage(RUSAGE_SELF, &after);
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 1024); /* KiB */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TARGET_TEST(test_size_limit),
		TARGET_TEST(test_no_room_behind),
		TARGET_TEST(test_full_disk),
		TARGET_TEST(test_sync),
		TARGET_TEST(test_parts),
		TARGET_TEST(test_other_ways),
		TARGET_TEST(test_memory),
	};

	return run_both_ways(tests, sizeof(tests) / sizeof(tests[0]));
}
