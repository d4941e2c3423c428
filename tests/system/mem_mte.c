/* SPDX-License-Identifier: MIT */
/*
 * Memory with tags (PROT_MTE of aarch64): private, shared, and shared copy-on-write with a child, also where the data are all
 * zero or may not be touched.  What is accessed by a false tag still faults, in each thread as it asked for.
 */
#include "testlib.h"

#if defined(__aarch64__)

#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PROT_MTE
#define PROT_MTE 0x20
#endif
enum { GRANULE = 16, PAGES = 10, NONE = 0, SYNC = 1 << 1, ENABLED = 1, ANY_TAG = 0xfffe << 3, SEGV_MTESERR_ = 9 };

/* Pages of the private area, by what was done to them. */
enum { DATA, ZEROS, NO_TAGS, UNTOUCHED, READ_ONLY, NO_ACCESS, CHILD_OTHER, CHILD_NONE, CHILD_DATA, CHILD_DROPS };

static size_t page;
static uint8_t *private_area, *shared_area, *later_area;
static pid_t child;
static pthread_t lax;
static volatile int lax_mode;
static volatile int go;
static __thread sigjmp_buf back;
static size_t distinct = 1 << 16;	/* so many granules of a page have tags of their own: two in qemu before 8 */

static uintptr_t tagged(const uint8_t *at, unsigned tag)
{
	return (uintptr_t)at | (uintptr_t)tag << 56;
}

static void set_tag(uint8_t *at, unsigned tag)
{
	__asm__ volatile(".arch armv8.5-a+memtag\n\tstg %0, [%0]" : : "r"(tagged(at, tag)) : "memory");
}

static unsigned get_tag(const uint8_t *at)
{
	uintptr_t p = (uintptr_t)at;

	__asm__ volatile(".arch armv8.5-a+memtag\n\tldg %0, [%0]" : "+r"(p) : : "memory");
	return p >> 56 & 15;
}

/* Tags that differ from granule to granule; seed 0: none. */
static unsigned tag_of(size_t granule, unsigned seed)
{
	granule %= distinct;
	return seed ? (granule * 7 + granule / 16 + seed) & 15 : 0;
}

static void set_tags(uint8_t *at, unsigned seed)
{
	for (size_t i = 0; i < page / GRANULE; i++)
		set_tag(at + i * GRANULE, tag_of(i, seed));
}

static void expect_tags(const char *what, const uint8_t *at, unsigned seed)
{
	for (size_t i = 0; i < page / GRANULE; i++)
		expect(get_tag(at + i * GRANULE) == tag_of(i, seed), "%s: granule %zu had tag %u and has %u", what, i, tag_of(i, seed),
		       get_tag(at + i * GRANULE));
}

static uint8_t *page_of(int number)
{
	return private_area + (size_t)number * page;
}

static void on_segv(int signal, siginfo_t *info, void *context)
{
	(void)context;
	siglongjmp(back, info->si_code == SEGV_MTESERR_ ? signal : -1);
}

/* 0, or SIGSEGV for a false tag. */
static int access_by(const uint8_t *at, unsigned tag)
{
	int caught = sigsetjmp(back, 1);

	if (!caught)
		(void)*(const volatile uint8_t *)tagged(at, tag);
	return caught;
}

static void expect_checks(const char *whose)
{
	const uint8_t *at = page_of(DATA) + GRANULE;
	unsigned tag = get_tag(at);

	expect(access_by(at, tag) == 0, "%s: an access by the right tag faults", whose);
	expect(access_by(at, tag ^ 1) == SIGSEGV, "%s: an access by a false tag does not fault as it did", whose);
}

static void make_pages(void)
{
	set_tag(page_of(DATA), 1);
	set_tag(page_of(DATA) + 2 * GRANULE, 2);
	if (get_tag(page_of(DATA)) == 2)
		distinct = 2;
	for (int i = 0; i < PAGES; i++)
		if (i != UNTOUCHED && i != ZEROS)
			fill_pattern(page_of(i), page, 10 + (uint64_t)i);
	for (int i = 0; i < PAGES; i++)
		if (i != UNTOUCHED && i != NO_TAGS)
			set_tags(page_of(i), 1 + (unsigned)i);
	must(mprotect(page_of(READ_ONLY), page, PROT_READ | PROT_MTE));
	must(mprotect(page_of(NO_ACCESS), page, PROT_MTE));
	/* memory gets tags that had none, by a mprotect(2) of the child alone */
	fill_pattern(later_area, page, 99);
	set_tags(shared_area, 20);
	fill_pattern(shared_area, page, 20);
	set_tags(shared_area + 2 * page, 22);
}

/* With checks off no tag needs to be carried along. */
static void expect_data(int number)
{
	if (number == ZEROS || number == UNTOUCHED)
		expect_zero("a page of zeros", page_of(number), page);
	else
		expect_pattern("a page with tags", page_of(number), page, 10 + (uint64_t)number);
}

static void check_pages(bool in_child)
{
	unsigned mode = (unsigned)prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0);

	must(prctl(PR_SET_TAGGED_ADDR_CTRL, ENABLED, 0, 0, 0));
	must(mprotect(page_of(NO_ACCESS), page, PROT_READ | PROT_MTE));
	for (int i = 0; i < PAGES; i++) {
		unsigned seed = i == NO_TAGS || i == UNTOUCHED ? 0 : 1 + (unsigned)i;

		if (in_child && i >= CHILD_OTHER) {
			seed = i == CHILD_OTHER ? 77 : i == CHILD_DATA ? seed : 0;
			if (i == CHILD_DATA)
				expect_pattern("what the child wrote", page_of(i), page, 200);
			else if (i == CHILD_DROPS)
				expect_zero("what the child dropped", page_of(i), page);
			else
				expect_data(i);
		} else {
			expect_data(i);
		}
		expect_tags(in_child ? "the child's private page" : "a private page", page_of(i), seed);
	}
	expect_pattern("shared memory", shared_area, page, 20);
	expect_tags("shared memory", shared_area, 20);
	expect_zero("shared memory of zeros", shared_area + 2 * page, page);
	expect_tags("shared memory of zeros", shared_area + 2 * page, 22);
	expect_tags("shared memory that the child has set", shared_area + 3 * page, 23);
	expect_pattern("memory that got tags later", later_area, page, 99);
	if (in_child)
		expect_tags("memory that got tags later", later_area, 33);
	else	/* the parent's has none, and gets them only now */
		expect(get_tag(later_area) == 0, "the parent's untagged memory has tag %u", get_tag(later_area));
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, mode, 0, 0, 0));
}

static void child_body(void *arg)
{
	(void)arg;
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, ENABLED, 0, 0, 0));
	set_tags(page_of(CHILD_OTHER), 77);
	set_tags(page_of(CHILD_NONE), 0);
	fill_pattern(page_of(CHILD_DATA), page, 200);
	must(madvise(page_of(CHILD_DROPS), page, MADV_DONTNEED));
	must(mprotect(later_area, page, PROT_READ | PROT_WRITE | PROT_MTE));
	set_tags(later_area, 33);
	set_tags(shared_area + 3 * page, 23);
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, ENABLED | SYNC | ANY_TAG, 0, 0, 0));
	test_child_ready();
	test_wait();
	expect_checks("the child");
	check_pages(true);
}

static void *lax_body(void *arg)
{
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, ENABLED, 0, 0, 0));
	lax_mode = prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0);
	while (!go)
		test_nap(5);
	expect(prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0) == lax_mode, "the settings of a thread changed");
	expect(access_by(page_of(DATA), get_tag(page_of(DATA)) ^ 1) == 0, "a thread that had tags unchecked has them checked");
	return arg;
}

void test_setup(void)
{
	const struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };

	if (!(getauxval(AT_HWCAP2) >> 18 & 1))
		test_skip("this processor has no memory tags (MTE)");
	page = (size_t)sysconf(_SC_PAGESIZE);
	must(sigaction(SIGSEGV, &action, NULL));
	private_area = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE | PROT_MTE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	shared_area = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE | PROT_MTE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	later_area = must(mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	make_pages();
	child = test_child(child_body, NULL);
	lax = test_thread(lax_body, NULL);
	while (!lax_mode)
		test_nap(1);
	must(prctl(PR_SET_TAGGED_ADDR_CTRL, ENABLED | SYNC | ANY_TAG, 0, 0, 0));
}

void test_break(void)
{
	set_tag(page_of(ZEROS) + 5 * GRANULE, tag_of(5, 1 + ZEROS) ^ 1);
}

void test_check(void)
{
	must(mprotect(later_area, page, PROT_READ | PROT_MTE));
	go = 1;
	expect(prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0) == (ENABLED | SYNC | ANY_TAG), "the settings of the main thread are %#x",
	       prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0));
	expect_checks("the main thread");
	check_pages(false);
	pthread_join(lax, NULL);
	test_join(child);
}

#else

TEST_SKIPPED("this program knows the memory tags of aarch64")

#endif
