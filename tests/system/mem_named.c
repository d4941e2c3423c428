/* SPDX-License-Identifier: MIT */
/* Names of anonymous areas (PR_SET_VMA_ANON_NAME). */
#include "selfview.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { SIZE = 65536 };

static char *area[2];
static const char *const names[2] = {"tinyckpt: test area", "second"};

static bool has_name(const char *address, const char *name)
{
	char line[512], wanted[128];
	bool found = false;
	FILE *maps = fopen("/proc/self/maps", "re");

	snprintf(wanted, sizeof wanted, "[anon:%s]", name);
	while (maps && fgets(line, sizeof line, maps)) {
		unsigned long start;

		if (sscanf(line, "%lx-", &start) == 1 && start == (uintptr_t)address)
			found = strstr(line, wanted) != NULL;
	}
	if (maps)
		fclose(maps);
	return found;
}

void test_setup(void)
{
	for (int i = 0; i < 2; i++) {
		area[i] = must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		fill_pattern(area[i], SIZE, 711 + i);
		if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area[i], SIZE, names[i]))
			test_skip("this kernel gives no names to anonymous memory");
	}
}

void test_break(void)
{
	must(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, area[1], SIZE, "other"));
}

void test_check(void)
{
	for (int i = 0; i < 2; i++) {
		expect(has_name(area[i], names[i]), "the area is not called \"%s\" any more", names[i]);
		expect_pattern(names[i], area[i], SIZE, 711 + i);
	}
}
