/* SPDX-License-Identifier: MIT */
/* Close-on-exec belongs to the descriptor, not to the file: duplicates differ in it; numbers have gaps. */
#include "testlib.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { COUNT = 40 };

static int number_of(int i)
{
	return 3 + i * i; /* gaps grow, up to 1524 */
}

void test_setup(void)
{
	struct rlimit limit = {2000, 2000};

	must(setrlimit(RLIMIT_NOFILE, &limit));
	int fd = must(open(test_path("file"), O_RDWR | O_CREAT, 0644));

	fd = must(fcntl(fd, F_DUPFD, 1600));
	close(3);
	for (int i = 0; i < COUNT; i++)
		must(dup3(fd, number_of(i), i % 3 == 0 ? O_CLOEXEC : 0));
	close(fd);
}

void test_break(void)
{
	must(fcntl(number_of(21), F_SETFD, 0));
}

void test_check(void)
{
	int next = 0;

	for (int fd = 3; fd < 2000; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (next < COUNT && fd == number_of(next)) {
			expect(flags == (next % 3 == 0 ? FD_CLOEXEC : 0), "descriptor %d: flags %d", fd, flags);
			next++;
		} else {
			expect(flags == -1, "descriptor %d should not be open", fd);
		}
	}
	must(lseek(number_of(1), 17, SEEK_SET));
	expect(lseek(number_of(30), 0, SEEK_CUR) == 17, "the duplicates do not share their offset");
}
