/* SPDX-License-Identifier: MIT */
/* What madvise, or mmap itself, set on an area: visible in its flags, and in what a fork hands down. */
#include "selfview.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { SIZE = 1 << 20, NO_ADVICE = -1 };

static struct {
	const char *name;
	int advice;
	const char *flag;
	char *area;
	bool applied;
} cases[] = {
	{"MADV_DONTFORK", MADV_DONTFORK, " dc ", NULL, false},
	{"MADV_WIPEONFORK", MADV_WIPEONFORK, " wf ", NULL, false},
	{"MADV_HUGEPAGE", MADV_HUGEPAGE, " hg ", NULL, false},
	{"MADV_NOHUGEPAGE", MADV_NOHUGEPAGE, " nh ", NULL, false},
	{"MADV_DONTDUMP", MADV_DONTDUMP, " dd ", NULL, false},
	{"MADV_MERGEABLE", MADV_MERGEABLE, " mg ", NULL, false},
	{"MADV_SEQUENTIAL", MADV_SEQUENTIAL, " sr ", NULL, false},
	{"MADV_RANDOM", MADV_RANDOM, " rr ", NULL, false},
	{"MAP_NORESERVE", NO_ADVICE, " nr ", NULL, false},
};
enum { CASES = sizeof cases / sizeof *cases };

void test_setup(void)
{
	for (int i = 0; i < CASES; i++) {
		const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (cases[i].advice == NO_ADVICE ? MAP_NORESERVE : 0);
		char now[256];

		cases[i].area = must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, -1, 0));
		/* A kernel may lack some of them. */
		if (cases[i].advice != NO_ADVICE) {
			cases[i].applied = madvise(cases[i].area, SIZE, cases[i].advice) == 0;
		} else {
			mapping_flags(cases[i].area, now, sizeof now);
			cases[i].applied = strstr(now, cases[i].flag);
		}
		fill_pattern(cases[i].area, SIZE / 4, 80 + i);
		if (!cases[i].applied)
			test_log("%s: errno %d\n", cases[i].name, errno);
	}
}

void test_break(void)
{
	must(madvise(cases[4].area, SIZE, MADV_DODUMP));
}

void test_check(void)
{
	char flags[256];

	for (int i = 0; i < CASES; i++) {
		mapping_flags(cases[i].area, flags, sizeof flags);
		expect(!cases[i].applied || strstr(flags, cases[i].flag), "%s is gone; flags:%s", cases[i].name, flags);
		expect_pattern(cases[i].name, cases[i].area, SIZE / 4, 80 + i);
	}
	pid_t child = must(fork());

	if (child == 0) {
		unsigned char there;

		if (cases[1].applied)
			expect_zero("wiped area in a child", cases[1].area, SIZE / 4);
		expect(mincore(cases[0].area, 4096, &there) == -1 && errno == ENOMEM, "the child has the MADV_DONTFORK area");
		expect_pattern("inherited area", cases[4].area, SIZE / 4, 84);
		_exit(0);
	}
	test_join(child);
}
