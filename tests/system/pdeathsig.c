/* SPDX-License-Identifier: MIT */
/* The parent-death signal is still set, and comes when the parent dies after the restore. */
#include "testlib.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile int received;
static pid_t middle, orphan;

static void note(int number)
{
	received = number;
}

static void child_of_middle(void *arg)
{
	int number = 0;

	(void)arg;
	signal(SIGUSR2, note);
	must(prctl(PR_SET_PDEATHSIG, SIGUSR2));
	test_child_ready();
	test_wait();
	if (test_breaking())
		must(prctl(PR_SET_PDEATHSIG, SIGHUP));
	must(prctl(PR_GET_PDEATHSIG, &number));
	expect(number == SIGUSR2, "the parent-death signal is %d", number);
	for (int i = 0; i < 1000 && !received; i++)
		test_nap(2);
	expect(received == SIGUSR2, "the parent died and no signal came");
}

static void body(void *arg)
{
	char text[16];

	(void)arg;
	snprintf(text, sizeof text, "%d", test_child(child_of_middle, NULL));
	must(symlink(text, test_path("orphan")));
	test_child_ready();
	test_wait();
	test_nap(20); /* the child looks first */
}

void test_setup(void)
{
	char text[16] = "";

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	middle = test_child(body, NULL);
	must(readlink(test_path("orphan"), text, sizeof text - 1));
	sscanf(text, "%d", &orphan);
}

void test_break(void)
{
}

void test_check(void)
{
	test_join(middle);
	test_join(orphan);
}
