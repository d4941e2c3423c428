/* SPDX-License-Identifier: MIT */
/*
 * The C library is replaced by an update while its program is saved: its build-id is another then.  The program runs on a copy
 * of it.
 * modes: update
 */
#include "testlib.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static pid_t child;

/* The path of the C library in this process, "" when it is linked in. */
static void find_library(char *path, size_t size)
{
	char line[4096 + 128];
	FILE *maps = fopen("/proc/self/maps", "re");

	*path = '\0';
	while (maps && fgets(line, sizeof line, maps)) {
		char *file = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (file && strstr(file, "/libc.so"))
			snprintf(path, size, "%s", file);
	}
	if (maps)
		fclose(maps);
}

static char *content;
static size_t length;

static void read_library(const char *path)
{
	int fd = must(open(path, O_RDONLY | O_CLOEXEC));
	struct stat status;

	must(fstat(fd, &status));
	length = status.st_size;
	content = malloc(length);
	for (size_t got = 0; got < length;)
		got += must(read(fd, content + got, length - got));
	close(fd);
}

static void write_library(const char *name)
{
	int fd = must(open(test_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));

	for (size_t put = 0; put < length;)
		put += must(write(fd, content + put, length - put));
	close(fd);
}

/* The description of the note of type 3 (NT_GNU_BUILD_ID) whose name is GNU, or NULL. */
static char *build_id(void)
{
	static const char note[] = "\x14\0\0\0\x03\0\0\0GNU";

	return memmem(content, length, note, sizeof note) ? (char *)memmem(content, length, note, sizeof note) + sizeof note : NULL;
}

static void run_on_copy(const char *library)
{
	static char self[4096], directory[4096], path[4096 + 32];

	read_library(library);
	write_library("libc.so.6");
	must(readlink("/proc/self/exe", self, sizeof self - 1));
	snprintf(directory, sizeof directory, "%s", test_path(""));
	snprintf(path, sizeof path, "LD_LIBRARY_PATH=%s", directory);
	putenv(path);
	execl(self, self, directory, NULL);
	test_fail("set-up: exec: errno %d", errno);
}

static void body(void *arg)
{
	(void)arg;
	test_child_ready();
	test_wait();
}

static char text[64];

void test_setup(void)
{
	char library[4096];
	char *id, digits[8];

	find_library(library, sizeof library);
	if (!*library)
		test_skip("the C library is linked into the program");
	if (!getenv("LD_LIBRARY_PATH"))
		run_on_copy(library);
	read_library(library);
	id = build_id();
	if (!id)
		test_skip("the C library has no build-id");
	snprintf(digits, sizeof digits, "%02x%02x", id[0] & 0xff, id[1] & 0xff);
	test_expect_message("/libc.so.6: changed since the save: build-id %s", digits);
	*id ^= 0x55;
	write_library("libc.so.6.new");
	free(content);
	content = NULL;
	int fd = must(open(test_path("update"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));

	must(write(fd, "libc.so.6\n", 10));
	close(fd);
	setenv("TZ", "UTC", 1);
	snprintf(text, sizeof text, "%.3f", 1 / 3.0);
	child = test_child(body, NULL);
}

void test_break(void)
{
	text[0] = '1';
}

/* Code of the library that did not run before, and its data. */
void test_check(void)
{
	char line[64];
	double third = strtod("0.333", NULL);

	snprintf(line, sizeof line, "%.3f", third);
	expect(strcmp(line, text) == 0, "%s is not %s", line, text);
	expect(strcmp(getenv("TZ"), "UTC") == 0, "the environment differs");
	test_join(child);
}
