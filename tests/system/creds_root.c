/* SPDX-License-Identifier: MIT */
/* The root of the tree belongs to an ordinary user, with threads, as a service does after its start. */
#include "selfview.h"

#include <grp.h>
#include <string.h>
#include <unistd.h>

static char before[1024];
static pthread_t thread;
static volatile bool ready;

static void *body(void *arg)
{
	char now[1024];

	ready = true;
	test_wait();
	status_lines(0, "Uid:", now, sizeof now);
	expect(strcmp(now, before) == 0, "thread: %s became %s", before, now);
	return arg;
}

void test_setup(void)
{
	gid_t groups[] = {20, 44};

	if (getuid())
		test_skip("only root can become somebody else");
	must(setgroups(2, groups));
	must(setresgid(1234, 1234, 1234));
	must(setresuid(1234, 1234, 1234));
	status_lines(0, "Uid:", before, sizeof before);
	thread = test_thread(body, NULL);
	while (!ready)
		test_nap(1);
}

void test_break(void)
{
	before[6]++;
}

void test_check(void)
{
	char now[1024];

	status_lines(0, "Uid:", now, sizeof now);
	expect(strcmp(now, before) == 0, "%s became %s", before, now);
	pthread_join(thread, NULL);
	expect(access("/proc/1/mem", R_OK) == -1, "an ordinary user can read the memory of process 1");
}
