/* SPDX-License-Identifier: MIT */
/* User, group and file-system IDs, all different, and supplementary groups; in children, beside a root that stays root. */
#include "selfview.h"

#include <grp.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

enum { CASES = 5 };

static pid_t child[CASES];

static void become(int number)
{
	gid_t groups[] = {5000, 17, 3, 65534, 100000};

	switch (number) {
	case 0: /* an ordinary service */
		must(setgroups(5, groups));
		must(setresgid(1000, 1000, 1000));
		must(setresuid(1000, 1000, 1000));
		break;
	case 1: /* everything different */
		must(setgroups(1, groups + 1));
		must(setresgid(2001, 2002, 2003));
		must(setresuid(1001, 1002, 1003));
		break;
	case 2: /* can come back to root */
		must(setgroups(0, NULL));
		must(setresgid(0, 3000, 0));
		must(setresuid(0, 3000, 0));
		break;
	case 3: /* a file server acting for somebody */
		setfsgid(4000);
		setfsuid(4000);
		break;
	case 4: /* root but for some groups more */
		must(setgroups(2, groups + 1));
		break;
	}
}

static void identity(char *text, size_t size)
{
	char lines[1024];

	text[0] = '\0';
	static const char *const names[] = {"Uid:", "Gid:", "Groups:"};

	for (int i = 0; i < 3; i++) {
		status_lines(0, names[i], lines, sizeof lines);
		strncat(text, lines, size - strlen(text) - 1);
	}
}

static void body(void *arg)
{
	char before[2048], now[2048];

	become((intptr_t)arg);
	identity(before, sizeof before);
	test_child_ready();
	test_wait();
	if (test_breaking() && arg == (void *)2)
		must(setresuid(-1, 0, -1));
	identity(now, sizeof now);
	expect(strcmp(before, now) == 0, "%s became %s", before, now);
	if (arg == (void *)2)
		expect(seteuid(0) == 0, "no way back to root");
	if (arg == (void *)0)
		expect(setuid(0) == -1 && errno == EPERM, "an ordinary user can become root");
}

void test_setup(void)
{
	for (intptr_t i = 0; i < CASES; i++)
		child[i] = test_child(body, (void *)i);
}

void test_break(void)
{
}

void test_check(void)
{
	expect(getuid() == 0 && geteuid() == 0, "root became %d/%d", getuid(), geteuid());
	for (int i = 0; i < CASES; i++)
		test_join(child[i]);
}
