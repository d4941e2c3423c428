/* SPDX-License-Identifier: MIT */
/* One mapping cut into pieces of every protection; each piece lets through exactly what it did. */
#include "testlib.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static const int protections[] = {
	PROT_READ,
	PROT_READ | PROT_WRITE,
	PROT_NONE,
	PROT_READ | PROT_EXEC,
	PROT_READ | PROT_WRITE | PROT_EXEC,
	PROT_READ,
	PROT_WRITE,
	PROT_READ | PROT_WRITE,
	PROT_EXEC,
};
enum { PIECES = sizeof protections / sizeof *protections };

static size_t page;
static char *area;

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	area = must(mmap(NULL, 2 * PIECES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < PIECES; i++)
		fill_pattern(area + 2 * i * page, 2 * page, 70 + i);
	for (int i = 0; i < PIECES; i++)
		must(mprotect(area + 2 * i * page, 2 * page, protections[i]));
}

void test_break(void)
{
	must(mprotect(area + 6 * page, page, PROT_READ | PROT_WRITE));
}

void test_check(void)
{
	int zero = must(open("/dev/zero", O_RDONLY));

	for (int i = 0; i < PIECES; i++)
		for (int half = 0; half < 2; half++) {
			/* The last byte, which is put back: the kernel's own access tells whether it may be written. */
			char *last = area + (2 * i + half + 1) * page - 1;
			ssize_t written = read(zero, last, 1);

			expect((written == 1) == !!(protections[i] & PROT_WRITE), "piece %d.%d (protection %d): read into it gives %zd",
			       i, half, protections[i], written);
		}
	must(mprotect(area, 2 * PIECES * page, PROT_READ | PROT_WRITE));
	for (int i = 0; i < PIECES; i++) {
		expect_pattern("piece", area + 2 * i * page, page - 1, 70 + i);
		expect(find_difference(area + 2 * i * page, 2 * page - 1, 70 + i) == (protections[i] & PROT_WRITE ? (ssize_t)page - 8 : -1),
		       "second half of piece %d differs", i);
	}
}
