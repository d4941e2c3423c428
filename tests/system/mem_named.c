/* SPDX-License-Identifier: MIT */
/* Names of anonymous areas (PR_SET_VMA_ANON_NAME), private and shared; a child's own, and one that it took off. */
#include "testlib.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { SIZE = 65536, AREAS = 4, SHARED = 3 };

static char *area[AREAS];
static const char *const names[AREAS] = {"tinyckpt: test area", "second", "third", "shared"};
static bool shared_has_name; /* since Linux 6.2 */
static pid_t child;

static int set_name(char *address, const char *name)
{
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address, SIZE, name);
}

/* NULL: none at all. */
static bool has_name(const char *address, const char *name)
{
	char line[512], wanted[128];
	bool found = false;
	FILE *maps = fopen("/proc/self/maps", "re");

	snprintf(wanted, sizeof wanted, ":%s]", name ? name : "");
	while (maps && fgets(line, sizeof line, maps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start <= (uintptr_t)address && end > (uintptr_t)address)
			found = name ? strstr(line, wanted) && strstr(line, "[anon") : !strstr(line, "[anon:");
	}
	if (maps)
		fclose(maps);
	return found;
}

static void rename_all(void *arg)
{
	(void)arg;
	must(set_name(area[1], "of the child"));
	must(set_name(area[2], NULL));
	area[0][SIZE / 2]++;
	test_child_ready();
	test_wait();
	expect(has_name(area[0], names[0]), "the child's area is not called \"%s\" any more", names[0]);
	expect(has_name(area[1], "of the child"), "the child's area has lost its name");
	expect(has_name(area[2], NULL), "the child's area has got a name");
	area[SHARED][0] = 'c';
}

void test_setup(void)
{
	for (int i = 0; i < AREAS; i++) {
		area[i] = must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, (i == SHARED ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0));
		fill_pattern(area[i], SIZE, 711 + i);
		if (!set_name(area[i], names[i]))
			shared_has_name = i == SHARED;
		else if (i != SHARED)
			test_skip("this kernel gives no names to anonymous memory");
	}
	child = test_child(rename_all, NULL);
}

void test_break(void)
{
	must(set_name(area[1], "other"));
}

void test_check(void)
{
	for (int i = 0; i < AREAS; i++) {
		if (i != SHARED || shared_has_name)
			expect(has_name(area[i], names[i]), "the area is not called \"%s\" any more", names[i]);
		if (i != SHARED)
			expect_pattern(names[i], area[i], SIZE, 711 + i);
	}
	test_join(child);
	expect(area[SHARED][0] == 'c', "the shared area is not shared any more");
	area[SHARED][0] = area[SHARED][1];
	fill_pattern(area[SHARED], 1, 711 + SHARED);
	expect_pattern(names[SHARED], area[SHARED], SIZE, 711 + SHARED);
}
