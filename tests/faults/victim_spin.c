/* SPDX-License-Identifier: MIT */
/* Threads that stay in user mode: pinned registers, pinned vectors, memory under checksum. */
#define _GNU_SOURCE
#include "victim.h"
#include "victim_arch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGES = 32, WORDS = 512, SPIN = 150000 };

/* One of each kind of memory that costs nothing to have. */
enum { ANON, SHARED, BSS, HEAP, AREAS };
static uint64_t bss[PAGES][WORDS];
static uint64_t (*area[AREAS])[WORDS];
static uint64_t sum[AREAS][PAGES];

static uint64_t checksum(const uint64_t *page)
{
	uint64_t s = 1;

	for (int i = 0; i < WORDS; i++)
		s = (s ^ page[i]) * 0x100000001b3ULL;
	return s;
}

void spin_start(void)
{
	area[ANON] = mmap(NULL, sizeof(bss), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area[SHARED] = mmap(NULL, sizeof(bss), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	area[BSS] = bss;
	area[HEAP] = malloc(sizeof(bss));
	if (area[ANON] == MAP_FAILED || area[SHARED] == MAP_FAILED || !area[HEAP])
		violation("out of memory");
	for (int a = 0; a < AREAS; a++)
		for (int p = 0; p < PAGES; p++) {
			for (int i = 0; i < WORDS; i++)
				area[a][p][i] = (uint64_t)(a + p * i) * 0x9e3779b97f4a7c15ULL;
			sum[a][p] = checksum(area[a][p]);
		}
}

/* Leaves the processor to others for a while: a victim that takes all of it would only slow its own test down. */
static void rest(void)
{
	struct timespec nap = { 0, 1500000 * slow };

	/* A handler that interrupts this sleep is one more thing that must not matter. */
	nanosleep(&nap, NULL);
}

/* Checks one page after the other and changes a word in each, so that there is always a page freshly written. */
void round_memory(struct worker *w)
{
	int a = (int)(w->rounds % AREAS);

	for (int p = 0; p < PAGES; p++) {
		uint64_t now = checksum(area[a][p]);
		if (now != sum[a][p])
			violation("memory area %d, page %d (%p): checksum %#" PRIx64 ", was %#" PRIx64, a, p,
				  (void *)area[a][p], now, sum[a][p]);
		area[a][p][(w->rounds + (uint64_t)p) % WORDS] += w->rounds + 1;
		sum[a][p] = checksum(area[a][p]);
	}
	rest();
}

/* Some hundred microseconds each, emulated or not, then a rest: all of these together leave a small machine something to work with. */
void round_registers(struct worker *w)
{
	const char *why = arch_spin_registers(w->rounds * 3 + (uint64_t)w->tid, SPIN / (int)slow);

	if (why)
		violation("%s", why);
	rest();
}

void round_flags(struct worker *w)
{
	const char *why = arch_spin_flags(w->rounds * 5 + (uint64_t)w->tid, SPIN / (int)slow);

	if (why)
		violation("%s", why);
	rest();
}

void round_vectors(struct worker *w)
{
	const char *why = arch_spin_vectors(w->rounds + (uint64_t)w->tid, 3 * SPIN / (int)slow);

	if (why)
		violation("%s", why);
	rest();
}
