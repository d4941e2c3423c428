/* SPDX-License-Identifier: MIT */
/*
 * The file an image becomes: what is there, and what is not, when a save succeeds, fails, or is killed. All of it is
 * tested twice, the second time with O_TMPFILE taken away as on file systems that have none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "image/reader.h"
#include "image/writer.h"

#define TYPE 60000

static bool without_tmpfile;
static char directory[32];
static char path[64];

/* From here on that call fails in this process, where its argument has any of those bits, or (exactly) is that. */
static void take_away(unsigned int call, unsigned int argument, bool exactly, unsigned int value, unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, args) + 8 * argument),
		BPF_JUMP(BPF_JMP | (exactly ? BPF_JEQ : BPF_JSET) | BPF_K, value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		print_error("no seccomp: %s\n", strerror(errno));
		exit(1);
	}
}

static void take_tmpfile_away(unsigned int error)
{
	take_away(SYS_openat, 2, false, O_TMPFILE & ~O_DIRECTORY, error);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_target.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/a.tck", directory);
	log_init(NULL, LOG_QUIET, 2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder(directory);
}

/* Some bodies whose first byte is MARK. */
static int write_some(struct image_writer *w, int bodies, uint8_t mark)
{
	int err = 0;

	while (!err && bodies--) {
		memset(image_body(w), mark, BODY_MAX);
		err = image_write(w, TYPE, 0, NULL, NULL, image_body(w), BODY_MAX);
	}
	return err;
}

static int write_image(const char *name, int bodies, uint8_t mark)
{
	struct image_writer w;
	struct image_totals totals = { 0 };
	int err = image_create(&w, name, NULL);

	if (!err)
		err = write_some(&w, bodies, mark);
	if (!err)
		err = image_commit(&w, &totals);
	image_drop(&w);
	return err;
}

/* Reads it whole and gives the mark of its bodies; negative when it is not a good image. */
static int read_image(const char *name)
{
	struct image_reader r;
	struct record rec;
	int mark = -1, ret = image_open(&r, name, NULL);

	if (ret)
		return ret;
	while ((ret = image_next(&r, &rec)) == 1)
		mark = rec.body[0];
	image_close(&r);
	return ret ? ret : mark;
}

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
	struct image_totals totals = { 0 };
	int err = image_create(&w, path, NULL);

	if (!err)
		err = write_some(&w, 1, 2);
	take_away(SYS_fsync, 0, true, (unsigned int)(of_directory ? w.target.directory : w.target.fd), (unsigned int)sync_error);
	if (!err)
		err = image_commit(&w, &totals);
	image_drop(&w);
	return err;
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
	struct image_totals totals = { 0 };
	int err = image_create(&w, path, NULL);

	w.target.part = 3 * BODY_MAX;
	if (sync_error)
		take_away(SYS_sync_file_range, 0, true, (unsigned int)w.target.fd, (unsigned int)sync_error);
	for (int i = 0; !err && i < 20; i++) {
		err = write_some(&w, 1, 3);
		if (!err && w.target.written - w.target.begun >= w.target.part)
			err = -E2BIG;	/* waits in the page cache */
	}
	if (!err)
		err = image_commit(&w, &totals);
	image_drop(&w);
	return err;
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

static int run(const char *name)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_first),
		TEST(test_replace),
		TEST(test_abandon),
		TEST(test_two_writers),
		TEST(test_killed),
		TEST(test_killed_before_commit),
		TEST(test_stale),
		TEST(test_taken_names),
		TEST(test_refused_targets),
		TEST(test_directory),
		TEST(test_size_limit),
		TEST(test_no_room_behind),
		TEST(test_full_disk),
		TEST(test_standard_output),
		TEST(test_sync),
		TEST(test_parts),
		TEST(test_other_ways),
		TEST(test_memory),
	};

	return _cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof(tests[0]), NULL, NULL);
}

int main(void)
{
	int failures = run("with O_TMPFILE");

	without_tmpfile = true;
	take_tmpfile_away(EOPNOTSUPP);
	return failures + run("without O_TMPFILE");
}
