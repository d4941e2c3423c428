/* SPDX-License-Identifier: MIT */
/* The names an image has on its way to its own: what is there, and what is not, when a save succeeds, fails, or is killed. */
#include "target_fixture.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"

static void test_first(void **state)
{
	struct image_writer w;
	struct image_totals totals = { 0 };
	struct stat st;
	char link[32];
	int other;

	(void)state;
	umask(0);
	assert_int_equal(image_create(&w, path, NULL), 0);
	assert_int_equal(w.target.unnamed, !without_tmpfile);
	/* nobody may take it for what a writer has left that is gone */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", w.target.fd);
	other = open(link, O_WRONLY);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(other);
	assert_int_equal(write_some(&w, 3, 1), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(entries(directory), without_tmpfile);
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	umask(022);
	assert_int_equal(entries(directory), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(read_image(path), 1);
	assert_int_equal(fcntl(w.target.fd, F_GETFD), -1);
	image_drop(&w);
	assert_int_equal(read_image(path), 1);
}

static void test_replace(void **state)
{
	struct image_writer w;
	struct image_totals totals = { 0 };
	struct stat st;
	int i;

	(void)state;
	assert_int_equal(write_image(path, 1, 1), 0);
	for (i = 2; i < 10; i++) {
		assert_int_equal(image_create(&w, path, NULL), 0);
		assert_int_equal(write_some(&w, 2, (uint8_t)i), 0);
		assert_int_equal(read_image(path), i - 1);
		assert_int_equal(image_commit(&w, &totals), 0);
		/* to free what it replaces takes a while, which is not waited for here */
		assert_int_equal(fstat(w.target.replaced, &st), 0);
		assert_int_equal(st.st_nlink, 0);
		image_drop(&w);
		assert_int_equal(read_image(path), i);
		assert_int_equal(entries(directory), 1);
	}
}

static void test_abandon(void **state)
{
	struct image_writer w;

	(void)state;
	assert_int_equal(image_create(&w, path, NULL), 0);
	assert_int_equal(write_some(&w, 2, 2), 0);
	image_drop(&w);
	image_drop(&w);
	assert_int_equal(entries(directory), 0);
	assert_int_equal(write_image(path, 1, 1), 0);
	assert_int_equal(image_create(&w, path, NULL), 0);
	assert_int_equal(write_some(&w, 2, 2), 0);
	image_drop(&w);
	assert_int_equal(entries(directory), 1);
	assert_int_equal(read_image(path), 1);
}

/* Two saves at once to one name: both work, the later one stays. */
static void test_two_writers(void **state)
{
	struct image_writer a, b;
	struct image_totals totals = { 0 };

	(void)state;
	assert_int_equal(write_image(path, 1, 1), 0);
	assert_int_equal(image_create(&a, path, NULL), 0);
	assert_int_equal(image_create(&b, path, NULL), 0);
	assert_int_equal(write_some(&a, 1, 2), 0);
	assert_int_equal(write_some(&b, 1, 3), 0);
	assert_int_equal(image_commit(&b, &totals), 0);
	image_drop(&b);
	assert_int_equal(read_image(path), 3);
	assert_int_equal(image_commit(&a, &totals), 0);
	image_drop(&a);
	assert_int_equal(read_image(path), 2);
	assert_int_equal(entries(directory), 1);
}

/* A writer is killed at some time: the old image is whole, and after the next save nothing else is there. */
static void test_killed(void **state)
{
	int round, image, status;

	(void)state;
	assert_int_equal(write_image(path, 1, 0), 0);
	for (round = 0; round < 40; round++) {
		pid_t pid = fork();

		if (!pid) {
			for (;;)
				if (write_image(path, 1 + round % 3, (uint8_t)(1 + round)))
					_exit(1);
		}
		usleep((useconds_t)(500 + round * 331));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		image = read_image(path);
		assert_true(image >= 0 && image <= round + 1);
	}
	assert_int_equal(write_image(path, 1, 100), 0);
	assert_int_equal(read_image(path), 100);
	assert_int_equal(entries(directory), 1);
}

/* Killed while it writes, it leaves no litter at all, where the file system can do that. */
static void test_killed_before_commit(void **state)
{
	struct image_writer w;
	int status, ends[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		if (image_create(&w, path, NULL) || write_some(&w, 4, 1) || write_all(ends[1], "x", 1))
			_exit(1);
		pause();
	}
	assert_int_equal(read_all(ends[0], &byte, 1), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_int_equal(entries(directory), without_tmpfile);
	close(ends[0]);
	close(ends[1]);
}

/* Of the temporary files of others, those go whose writers are gone; other names are none of our business. */
static void test_stale(void **state)
{
	static const char *const names[] = {
		".a.tck.tmp.1.0", ".a.tck.tmp.99999999.0", ".a.tck.tmp.", ".b.tck.tmp.1.0", "a.tck.tmp.1.0",
	};
	char name[96], live[96];
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%s/%s", directory, names[i]);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	snprintf(live, sizeof(live), "%s/.a.tck.tmp.live", directory);
	fd = open(live, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	snprintf(name, sizeof(name), "%s/.a.tck.tmp.link", directory);
	assert_int_equal(symlink(live, name), 0);
	snprintf(name, sizeof(name), "%s/.a.tck.tmp.fifo", directory);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(write_image(path, 1, 1), 0);
	assert_int_equal(entries(directory), 6); /* the image, b's, the one without the dot, live, link, fifo */
	assert_int_equal(access(live, F_OK), 0);
	close(fd);
	assert_int_equal(write_image(path, 1, 2), 0);
	assert_int_equal(access(live, F_OK), -1);
	assert_int_equal(read_image(path), 2);
}

/* A temporary name that is taken is not overwritten. */
static void test_taken_names(void **state)
{
	char name[96];
	int fd;

	(void)state;
	assert_int_equal(write_image(path, 1, 1), 0);
	snprintf(name, sizeof(name), "%s/.a.tck.tmp.%d.0", directory, getpid());
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(write_image(path, 1, 2), 0);
	assert_int_equal(read_image(path), 2);
	assert_int_equal(access(name, F_OK), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
}

static void test_refused_targets(void **state)
{
	struct image_writer w;
	struct image_totals totals = { 0 };
	struct stat st;
	char victim[64], name[400];

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", directory);
	assert_int_equal(write_image(victim, 1, 9), 0);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(image_create(&w, path, NULL), -ELOOP);
	image_drop(&w);
	unlink(path);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(image_create(&w, path, NULL), -ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(image_create(&w, path, NULL), -EEXIST);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(image_create(&w, path, NULL), -EEXIST);
	rmdir(path);
	snprintf(name, sizeof(name), "%s/", directory);
	assert_int_equal(image_create(&w, name, NULL), -EISDIR);
	assert_int_equal(image_create(&w, "/", NULL), -EISDIR);
	assert_int_equal(image_create(&w, "", NULL), -EISDIR);
	assert_int_equal(image_create(&w, "..", NULL), -EISDIR);
	snprintf(name, sizeof(name), "%s/none/a", directory);
	assert_int_equal(image_create(&w, name, NULL), -ENOENT);
	assert_true(image_create(&w, "/proc/a", NULL) < 0);
	snprintf(name, sizeof(name), "%s/%0300d", directory, 1);
	assert_int_equal(image_create(&w, name, NULL), -ENAMETOOLONG);
	assert_int_equal(entries(directory), 1);

	/* The longest name that a file can have. */
	snprintf(name, sizeof(name), "%s/%0255d", directory, 1);
	assert_int_equal(write_image(name, 1, 3), 0);
	assert_int_equal(write_image(name, 1, 4), 0);
	assert_int_equal(read_image(name), 4);
	unlink(name);

	/* A link that comes while we write is replaced, not followed. */
	assert_int_equal(image_create(&w, path, NULL), 0);
	assert_int_equal(write_some(&w, 1, 5), 0);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	assert_int_equal(read_image(victim), 9);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(read_image(path), 5);
	unlink(path);

	/* A directory that comes while we write makes the commit fail. */
	assert_int_equal(image_create(&w, path, NULL), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(image_commit(&w, &totals) < 0);
	image_drop(&w);
	assert_int_equal(entries(directory), 2);
}

/* Without a slash, and with the directory moved away while we write. */
static void test_directory(void **state)
{
	struct image_writer w;
	struct image_totals totals = { 0 };
	char moved[64], name[80];
	int here = open(".", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(chdir(directory), 0);
	assert_int_equal(write_image("a.tck", 1, 1), 0);
	assert_int_equal(read_image(path), 1);
	assert_int_equal(fchdir(here), 0);
	close(here);
	assert_int_equal(image_create(&w, path, NULL), 0);
	snprintf(moved, sizeof(moved), "%s.moved", directory);
	assert_int_equal(rename(directory, moved), 0);
	assert_int_equal(write_some(&w, 1, 2), 0);
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	snprintf(name, sizeof(name), "%s/a.tck", moved);
	assert_int_equal(read_image(name), 2);
	assert_int_equal(rename(moved, directory), 0);
}

/* Writes to WHERE as standard output; what it returned. */
static int write_to(int where, int bodies)
{
	int output = dup(1), err;

	fflush(NULL);
	dup2(where, 1);
	err = write_image("-", bodies, 7);
	dup2(output, 1);
	close(output);
	close(where);
	return err;
}

static void test_standard_output(void **state)
{
	int ends[2], terminal;

	(void)state;
	assert_int_equal(write_to(open(path, O_CREAT | O_RDWR, 0644), 2), 0);
	assert_int_equal(read_image(path), 7);
	assert_int_equal(entries(directory), 1);
	assert_int_equal(write_to(open("/dev/full", O_WRONLY), 2), -ENOSPC);
	assert_int_equal(write_to(open("/dev/full", O_WRONLY), 0), -ENOSPC);
	assert_int_equal(write_to(open("/dev/null", O_WRONLY), 40), 0);
	assert_int_equal(write_to(open("/dev/null", O_WRONLY), 2), 0);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write_to(ends[1], 2), -EPIPE);
	signal(SIGPIPE, SIG_DFL);
	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (terminal >= 0)
		assert_int_equal(write_to(terminal, 1), -EUSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TARGET_TEST(test_first),
		TARGET_TEST(test_replace),
		TARGET_TEST(test_abandon),
		TARGET_TEST(test_two_writers),
		TARGET_TEST(test_killed),
		TARGET_TEST(test_killed_before_commit),
		TARGET_TEST(test_stale),
		TARGET_TEST(test_taken_names),
		TARGET_TEST(test_refused_targets),
		TARGET_TEST(test_directory),
		TARGET_TEST(test_standard_output),
	};

	return run_both_ways(tests, sizeof(tests) / sizeof(tests[0]));
}
