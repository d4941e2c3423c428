/* SPDX-License-Identifier: MIT */
/*
 * More mappings than the tool could keep in its memory as they are: 14000 with gaps between them, no two neighbours alike.  Some
 * less where its memory is not measured: an emulated board takes half a minute for so many.
 * modes: small
 */
#include "testlib.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STRIDE = 6 };

static int pieces;
static size_t page;
static char *area;

/* Some of two pages, some of three, and a gap behind each. */
static char *piece(int i)
{
	return area + STRIDE * page * i + (i % 3) * page;
}

static size_t length(int i)
{
	return (2 + i % 2) * page;
}

/* So many mappings, and a hash over their addresses and rights. */
static void look(int *n, uint64_t *hash)
{
	FILE *maps = must(fopen("/proc/self/maps", "re"));
	char line[512];

	*n = 0;
	*hash = 14695981039346656037u;
	while (fgets(line, sizeof(line), maps)) {
		const uintptr_t start = (uintptr_t)strtoull(line, NULL, 16);

		if (start < (uintptr_t)area || start >= (uintptr_t)area + STRIDE * page * pieces)
			continue;
		++*n;
		for (const char *c = line, *end = strchr(line, ' ') + 5; c < end; c++)
			*hash = (*hash ^ (uint8_t)*c) * 1099511628211u;
	}
	fclose(maps);
}

static int n;
static uint64_t hash;

void test_setup(void)
{
	const char *limit = getenv("PEAK_KIB");

	pieces = limit && *limit ? 14000 : 2000;
	page = sysconf(_SC_PAGESIZE);
	/* where the kernel puts nothing by itself: it would fill the gaps */
	area = (char *)(uintptr_t)(sizeof(long) == 8 ? 0x1000000000 : 0x30000000);
	for (int i = 0; i < pieces; i++) {
		const int prot = i % 4 == 3 ? PROT_READ : PROT_READ | PROT_WRITE;

		must(mmap(piece(i), length(i), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
		if (i % 64 == 0)
			*(int *)(piece(i) + page + 64) = i + 1;
		must(mprotect(piece(i), length(i), prot));
		if (i % 5 == 4)
			must(madvise(piece(i), length(i), MADV_DONTDUMP));
	}
	look(&n, &hash);
	expect(n == pieces, "%d mappings", n);
}

void test_break(void)
{
	must(munmap(piece(pieces / 2), page));
}

void test_check(void)
{
	int now;
	uint64_t now_hash;

	look(&now, &now_hash);
	expect(now == n, "%d mappings, %d before", now, n);
	expect(now_hash == hash, "the mappings are others than before");
	for (int i = 0; i < pieces; i += 64) {
		int *number = (int *)(piece(i) + page + 64);

		expect(*number == i + 1, "piece %d holds %d", i, *number);
	}
}
