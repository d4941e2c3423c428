/* SPDX-License-Identifier: MIT */
/* oom_score_adj of parent and children, the child's being lower than its parent's. */
#include "selfview.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pid_t child[2];

static void set(int value)
{
	int fd = must(open("/proc/self/oom_score_adj", O_WRONLY));

	dprintf(fd, "%d", value);
	close(fd);
}

static int get(void)
{
	char text[16];

	file_content("/proc/self/oom_score_adj", text, sizeof text);
	return atoi(text);
}

static void body(void *arg)
{
	int value = (intptr_t)arg;

	set(value);
	test_child_ready();
	test_wait();
	expect(get() == value, "oom_score_adj was %d and is %d", value, get());
}

void test_setup(void)
{
	child[0] = test_child(body, (void *)300);
	set(500);
	child[1] = test_child(body, (void *)700);
}

void test_break(void)
{
	set(501);
}

void test_check(void)
{
	expect(get() == 500, "oom_score_adj was 500 and is %d", get());
	test_join(child[0]);
	test_join(child[1]);
}
