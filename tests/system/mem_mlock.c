/* SPDX-License-Identifier: MIT */
/* Locked areas are locked again: mlock, MLOCK_ONFAULT, MAP_LOCKED. */
#include "selfview.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t page;
static char *locked, *on_fault, *mapped, *part;

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	locked = must(mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	on_fault = must(mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	mapped = must(mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
	part = must(mmap(NULL, 9 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	must(mlock(locked, 8 * page));
	must(syscall(SYS_mlock2, on_fault, 64 * page, 1 /* MLOCK_ONFAULT */));
	must(mlock(part + 3 * page, 3 * page));
	fill_pattern(locked, 8 * page, 91);
	fill_pattern(on_fault, 2 * page, 92);
	fill_pattern(part, 9 * page, 93);
}

void test_break(void)
{
	must(munlock(part + 4 * page, page));
}

static void expect_flags(const char *what, const char *address, bool lo, bool lf)
{
	char flags[256];

	mapping_flags(address, flags, sizeof flags);
	/* Older kernels do not tell "lf" apart; the resident size below does. */
	expect(!!strstr(flags, " lo ") == lo && (!strstr(flags, " lf ") || lf), "%s: flags are%s", what, flags);
}

void test_check(void)
{
	expect_flags("mlock", locked, true, false);
	expect_flags("MLOCK_ONFAULT", on_fault, true, true);
	expect_flags("MAP_LOCKED", mapped, true, false);
	expect_flags("before the locked part", part, false, false);
	expect_flags("locked part", part + 4 * page, true, false);
	expect_flags("behind the locked part", part + 6 * page, false, false);
	expect_pattern("mlock", locked, 8 * page, 91);
	expect_pattern("MLOCK_ONFAULT", on_fault, 2 * page, 92);
	expect_pattern("partly locked", part, 9 * page, 93);
	long resident = mapping_value(on_fault, "Rss");

	expect(resident < (long)(64 * page / 1024), "the MLOCK_ONFAULT area was filled: %ld KiB", resident);
	expect(mapping_value(locked, "Locked") == (long)(8 * page / 1024), "mlock: %ld KiB are locked", mapping_value(locked, "Locked"));
}
