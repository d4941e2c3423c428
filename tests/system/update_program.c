/* SPDX-License-Identifier: MIT */
/*
 * The files of a running program are replaced by an update while it is saved: its own, and one that it has code and data of.
 * modes: update
 * arguments: content size missing
 */
#include "testlib.h"

#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGES = 8 };

static size_t page, code_size;
static off_t code_at;
static char *code, *data;
static pid_t child;
static int opened;
static char seen[64];

/* Runs at any address; the code of the copy is called. */
static __attribute__((noinline, noclone)) long answer(long question)
{
	return question * 3 + 1;
}

static int see_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	const uintptr_t at = ((uintptr_t)answer & ~1UL) - info->dlpi_addr;	/* Thumb code has an odd address */

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && at >= p->p_vaddr && at < p->p_vaddr + p->p_filesz)
			*(off_t *)arg = at - p->p_vaddr + p->p_offset;
	}
	return 1;
}

static void copy(int from, const char *name, mode_t mode)
{
	int to = must(open(test_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, mode));
	struct stat status;
	off_t at = 0;

	must(fstat(from, &status));
	while (at < status.st_size)
		must(sendfile(to, from, &at, status.st_size - at));
	close(to);
}

/* What the update brings: the same size and time, or one byte more. */
static void make_new(const char *name, const char *new_name, mode_t mode)
{
	int from = must(open(test_path(name), O_RDONLY | O_CLOEXEC)), to;
	struct stat status;
	char byte;

	must(fstat(from, &status));
	copy(from, new_name, mode);
	must(pread(from, &byte, 1, status.st_size - 1));
	close(from);
	to = must(open(test_path(new_name), O_WRONLY | O_CLOEXEC));
	byte ^= 1;
	must(pwrite(to, &byte, 1, status.st_size - !strcmp(test_argument(), "content")));
	must(futimens(to, (struct timespec[2]){status.st_atim, status.st_mtim}));
	close(to);
}

static void become_copy(void)
{
	static char directory[4096], program[4096], argument[64];
	int self = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));

	copy(self, "program", 0755);
	strcpy(directory, test_path(""));
	strcpy(program, test_path("program"));
	strcpy(argument, test_argument());
	execl(program, program, directory, argument, NULL);
	test_fail("set-up: exec: errno %d", errno);
}

/* A library of code, which is this program's, and data behind it. */
static void make_library(void)
{
	static char pattern[PAGES * 65536];
	int self = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), fd;
	struct stat status;

	must(fstat(self, &status));
	copy(self, "library", 0644);
	close(self);
	code_size = (status.st_size + page - 1) / page * page;
	fill_pattern(pattern, PAGES * page, 77);
	fd = must(open(test_path("library"), O_RDWR | O_CLOEXEC));
	must(pwrite(fd, pattern, PAGES * page, code_size));
	close(fd);
	fd = must(open(test_path("library"), O_RDONLY | O_CLOEXEC));
	code = must(mmap(NULL, code_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
	data = must(mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, code_size));
	close(fd);
	fill_pattern(data + 2 * page, page, 78);
}

static void check_library(void)
{
	long (*function)(long) = (long (*)(long))(code + code_at + ((uintptr_t)answer & 1));

	expect(function(13) == 40, "the library's code says %ld", function(13));
	expect_pattern("the library's data", data, 2 * page, 77);
	expect_pattern("a page of it that was written to", data + 2 * page, page, 78);
	for (size_t i = 3; i < PAGES; i++) {
		static char pattern[PAGES * 65536];

		fill_pattern(pattern, PAGES * page, 77);
		expect(memcmp(data + i * page, pattern + i * page, page) == 0, "page %zu of the library's data differs", i);
	}
}

static void body(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
	check_library();
}

void test_setup(void)
{
	static const char *const names[] = {"program", "library"};
	bool missing = strcmp(test_argument(), "missing") == 0;
	char self[4096] = "", list[64] = "";

	page = sysconf(_SC_PAGESIZE);
	must(readlink("/proc/self/exe", self, sizeof self - 1));
	if (strcmp(self + strlen(self) - 8, "/program"))
		become_copy();
	dl_iterate_phdr(see_object, &code_at);
	make_library();
	for (int i = 0; i < 2; i++) {
		char new_name[32];

		snprintf(new_name, sizeof new_name, "%s.new", names[i]);
		if (!missing)
			make_new(names[i], new_name, i ? 0644 : 0755);
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s\n", names[i]);
		test_expect_message(missing ? "/%s: it is missing, and the workload has it mapped; `save --embed`"
				    : !strcmp(test_argument(), "size") ? "/%s: changed since the save: "
								         : "/%s: changed since the save: its content; `save --embed`",
				    names[i]);
	}
	int fd = must(open(test_path("update"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));

	must(write(fd, list, strlen(list)));
	close(fd);
	/* and it is open, as a script is in its interpreter */
	opened = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	must(pread(opened, seen, sizeof seen, 1000));
	must(lseek(opened, 1000, SEEK_SET));
	child = test_child(body, NULL);
}

void test_break(void)
{
	data[5 * page] ^= 1;
}

void test_check(void)
{
	char magic[4] = "", bytes[sizeof seen];
	int fd = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));

	must(read(fd, magic, 4));
	close(fd);
	expect(memcmp(magic, "\177ELF", 4) == 0, "exe is no program");
	must(read(opened, bytes, sizeof bytes));
	expect(memcmp(bytes, seen, sizeof bytes) == 0, "the open file reads otherwise");
	check_library();
	test_join(child);
}
