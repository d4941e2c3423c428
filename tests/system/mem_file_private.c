/* SPDX-License-Identifier: MIT */
/* Private file mappings: modified pages are the process's, the others still the file's; the file is untouched. */
#include "testlib.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 16 };

static size_t page;
static char *area, *readable, *inner, *own;

void test_setup(void)
{
	page = sysconf(_SC_PAGESIZE);
	int fd = must(open(test_path("file"), O_RDWR | O_CREAT, 0644));
	static char content[PAGES * 65536];

	fill_pattern(content, PAGES * page, 21);
	must(write(fd, content, PAGES * page - page / 2)); /* the last page is half in the file */
	area = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	readable = must(mmap(NULL, 4 * page, PROT_READ, MAP_PRIVATE, fd, 2 * page));
	inner = must(mmap(NULL, 6 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 5 * page));
	own = must(mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	close(fd);
	fill_pattern(area + 3 * page, page, 22);
	area[9 * page + 1] = 'm';
	memset(area + 12 * page, 0, page);
	fill_pattern(inner + 2 * page, page, 23);
	fill_pattern(own, page, 24);
	must(mprotect(own, 2 * page, PROT_READ)); /* like the relocated part of a library */
}

void test_break(void)
{
	inner[2 * page + 77] ^= 4;
}

static void expect_file_page(const char *what, const char *address, int number)
{
	static char content[PAGES * 65536];

	fill_pattern(content, PAGES * page, 21);
	expect(memcmp(address, content + number * page, page) == 0, "%s: page %d is not the file's", what, number);
}

void test_check(void)
{
	char byte = 'n', file_byte;

	expect_file_page("private mapping", area, 0);
	expect_file_page("private mapping", area + 2 * page, 2);
	expect_pattern("modified page", area + 3 * page, page, 22);
	expect(area[9 * page + 1] == 'm', "modified byte lost");
	expect_zero("page overwritten with zeros", area + 12 * page, page);
	expect_zero("behind the end of the file", area + 15 * page + page / 2, page / 2);
	expect_file_page("read-only mapping", readable, 2);
	expect_file_page("read-only mapping", readable + 3 * page, 5);
	expect_file_page("mapping with an offset", inner, 5);
	expect_pattern("modified page of the mapping with an offset", inner + 2 * page, page, 23);
	expect_pattern("modified, then made read-only", own, page, 24);
	expect_file_page("next to it", own + page, 1);

	int fd = must(open(test_path("file"), O_RDWR));

	must(pread(fd, &file_byte, 1, 9 * page + 1));
	expect(file_byte != 'm', "the private modification is in the file");
	/* Pages that were never modified are still pages of the file. */
	must(pwrite(fd, &byte, 1, 5 * page + 3));
	expect(area[5 * page + 3] == 'n' && inner[3] == 'n', "an unmodified page no longer follows the file");
}
