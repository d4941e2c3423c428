/* SPDX-License-Identifier: MIT */
/*
 * Locks of all three kinds, of a parent and a child, and a thread that waits for one; also where these are some of many
 * descriptors, which are looked at in another way.
 * arguments: few many
 */
#include "waiter.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FROM_HERE = 1 << 30 }; /* where a database locks */

static int process_fd, description_fd, flock_fd, flock_shared_fd;
/* To look through: descriptions of their own, and never closed, since that would end all locks of the process. */
static int process_view, description_view;
static pid_t child;

static struct flock range(int type, off_t start, off_t len)
{
	return (struct flock){.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

static int lock(int fd, int command, int type, off_t start, off_t len)
{
	struct flock l = range(type, start, len);

	return fcntl(fd, command, &l);
}

/* Who is in the way of a lock there: a process, or -1 for another description; 0: nobody. */
static void expect_holder(int view, off_t start, int kind, pid_t pid)
{
	struct flock l = range(F_WRLCK, start, 1);
	pid_t found;

	must(fcntl(view, F_OFD_GETLK, &l));
	found = l.l_type == F_UNLCK ? 0 : l.l_pid;
	expect(found == pid && (!pid || l.l_type == kind), "%s at %lld: a lock of kind %d by %d instead of %d by %d",
	       view == process_view ? "processes" : "a description", (long long)start, l.l_type, found, kind, pid);
}

/* In a child: what it locks itself, and a lock of the parent's that stands in its way. */
static void body(void *arg)
{
	int fd = must(open(test_path("process"), O_RDWR));

	(void)arg;
	must(lock(fd, F_SETLK, F_WRLCK, 5000, 100));
	must(lock(fd, F_SETLK, F_RDLCK, FROM_HERE + 510, 0));
	test_child_ready();
	test_wait();
	expect(lock(fd, F_SETLK, F_WRLCK, 15, 1) == -1 && errno == EAGAIN, "the parent's lock is not in the child's way");
	must(lock(fd, F_SETLK, F_UNLCK, 5000, 100));
	close(must(open(test_path("unlocked"), O_WRONLY | O_CREAT, 0644)));
	while (access(test_path("done"), F_OK))
		test_nap(1);
}

static long wait_for_lock(struct waiter *self)
{
	int fd = must(open(test_path("waited"), O_RDWR));

	(void)self;
	return flock(fd, LOCK_EX) ? -errno : 1;
}

static struct waiter waiter = {.name = "flock", .call = wait_for_lock};
static int waited_fd;

void test_setup(void)
{
	for (int i = 0; i < 100 && !strcmp(test_argument(), "many"); i++) {
		char name[16];

		snprintf(name, sizeof name, "many.%d", i);
		must(open(test_path(name), O_RDONLY | O_CREAT, 0644));
	}
	process_fd = must(open(test_path("process"), O_RDWR | O_CREAT, 0644));
	must(lock(process_fd, F_SETLK, F_WRLCK, 0, 1));
	must(lock(process_fd, F_SETLK, F_WRLCK, 10, 20));
	must(lock(process_fd, F_SETLK, F_RDLCK, 100, 1));
	must(lock(process_fd, F_SETLK, F_WRLCK, FROM_HERE, 510));
	must(dup(process_fd));
	process_view = must(open(test_path("process"), O_RDWR));

	description_fd = must(open(test_path("description"), O_RDWR | O_CREAT, 0644));
	must(lock(description_fd, F_OFD_SETLK, F_WRLCK, 4096, 0));
	must(lock(description_fd, F_OFD_SETLK, F_RDLCK, 0, 8));
	description_view = must(open(test_path("description"), O_RDWR));

	flock_fd = must(open(test_path("flock"), O_RDWR | O_CREAT, 0644));
	must(flock(flock_fd, LOCK_EX));
	flock_shared_fd = must(open(test_path("shared"), O_RDONLY | O_CREAT, 0644));
	must(flock(flock_shared_fd, LOCK_SH));
	child = test_child(body, NULL);

	waited_fd = must(open(test_path("waited"), O_RDWR | O_CREAT, 0644));
	must(flock(waited_fd, LOCK_EX));
	waiter_start(&waiter);
}

void test_break(void)
{
	close(dup(process_fd)); /* a process that closes any descriptor of the file loses all its locks there */
}

static void expect_flock(const char *name, int kind, bool free)
{
	int fd = must(open(test_path(name), O_RDONLY));
	bool got = flock(fd, kind | LOCK_NB) == 0;

	expect(got == free, "%s: a lock of kind %d is %s", name, kind, got ? "free" : "not free");
	close(fd);
}

void test_check(void)
{
	expect_holder(process_view, 0, F_WRLCK, getpid());
	expect_holder(process_view, 1, 0, 0);
	expect_holder(process_view, 10, F_WRLCK, getpid());
	expect_holder(process_view, 29, F_WRLCK, getpid());
	expect_holder(process_view, 30, 0, 0);
	expect_holder(process_view, 100, F_RDLCK, getpid());
	expect_holder(process_view, FROM_HERE + 509, F_WRLCK, getpid());
	expect_holder(process_view, FROM_HERE + 510, F_RDLCK, child);
	expect_holder(process_view, (off_t)1 << 40, F_RDLCK, child);
	expect_holder(description_view, 4095, 0, 0);
	expect_holder(description_view, (off_t)1 << 40, F_WRLCK, -1);
	expect_holder(description_view, 7, F_RDLCK, -1);
	expect_flock("flock", LOCK_SH, false);
	expect_flock("shared", LOCK_SH, true);
	expect_flock("shared", LOCK_EX, false);

	must(flock(waited_fd, LOCK_UN));
	waiter_expect(&waiter, 1, 0);
	for (int i = 0; i < 400 && access(test_path("unlocked"), F_OK); i++)
		test_nap(10);
	expect_holder(process_view, 5000, 0, 0);
	close(must(open(test_path("done"), O_WRONLY | O_CREAT, 0644)));
	test_join(child);
}
