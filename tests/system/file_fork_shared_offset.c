/* SPDX-License-Identifier: MIT */
/* Parent and child share the open file: the child's number for it is another, and the parent has one that it closed. */
#include "testlib.h"

#include <fcntl.h>
#include <unistd.h>

static int shared, left_to_child;
static pid_t child;

static void body(void *arg)
{
	(void)arg;
	int moved = must(fcntl(shared, F_DUPFD, 100));

	close(shared);
	test_child_ready();
	test_wait();
	while (lseek(moved, 0, SEEK_CUR) != 7) /* the parent moves it */
		test_nap(1);
	must(lseek(moved, 3, SEEK_SET));
	expect(lseek(left_to_child, 0, SEEK_CUR) == 5, "offset of the child's own: %lld", (long long)lseek(left_to_child, 0, SEEK_CUR));
	expect(fcntl(shared, F_GETFD) == -1, "descriptor %d should be closed", shared);
}

void test_setup(void)
{
	shared = must(open(test_path("file"), O_RDWR | O_CREAT, 0644));
	left_to_child = must(open(test_path("other"), O_RDWR | O_CREAT, 0644));
	must(write(left_to_child, "12345", 5));
	child = test_child(body, NULL);
	close(left_to_child);
}

void test_break(void)
{
	close(shared);
	shared = must(open(test_path("file"), O_RDWR));
	must(lseek(shared, 3, SEEK_SET));
}

void test_check(void)
{
	expect(fcntl(left_to_child, F_GETFD) == -1, "descriptor %d should be closed", left_to_child);
	expect(lseek(shared, 0, SEEK_CUR) == 0, "offset %lld", (long long)lseek(shared, 0, SEEK_CUR));
	must(lseek(shared, 7, SEEK_SET));
	for (int i = 0; i < 400 && lseek(shared, 0, SEEK_CUR) != 3; i++)
		test_nap(1);
	expect(lseek(shared, 0, SEEK_CUR) == 3, "the child's move does not show: the offset is not shared");
	test_join(child);
}
