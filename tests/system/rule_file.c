/* SPDX-License-Identifier: MIT */
/*
 * An open file that has changed by the time of the restore: ACTION-EVENT, what its rule says and what became of it.
 * modes: meanwhile
 * arguments: default-grow default-shrink default-missing reader-grow
 * arguments: exact-grow exact-shrink exact-touch exact-rotate exact-missing exact-kind
 * arguments: grow-grow grow-shrink grow-replace grow-missing
 * arguments: append-grow append-shrink append-touch append-rotate append-missing append-replace append-kind append-link
 * arguments: append-folder append-undo
 * arguments: recreate-grow recreate-shrink recreate-rotate recreate-missing recreate-replace recreate-kind recreate-folder
 * arguments: snapshot-none snapshot-grow snapshot-shrink snapshot-touch snapshot-rotate snapshot-missing snapshot-replace
 * arguments: snapshot-kind snapshot-link snapshot-folder snapshot-undo
 */
#include "testlib.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENT "0123456789"
#define REPLACED "something else altogether"

enum { AT = 4 };

/* What the tree finds when it comes back; NULL: it does not, and this is said. */
static const struct {
	const char *name;
	const char *content;
	off_t at;
	const char *says;
} cases[] = {
	{ "default-grow", CONTENT "more", AT, NULL },
	{ "default-shrink", NULL, 0, "shrunk" },
	{ "default-missing", NULL, 0, "missing" },
	{ "reader-grow", NULL, 0, "14 now" },
	{ "exact-grow", NULL, 0, "14 now" },
	{ "exact-shrink", NULL, 0, "2 now" },
	{ "exact-touch", NULL, 0, "time of modification" },
	{ "exact-rotate", NULL, 0, "3 now" },
	{ "exact-missing", NULL, 0, "missing" },
	{ "exact-kind", NULL, 0, "another kind" },
	{ "grow-grow", CONTENT "more", AT, NULL },
	{ "grow-shrink", NULL, 0, "2 now" },
	{ "grow-replace", REPLACED, AT, NULL },
	{ "grow-missing", NULL, 0, "missing" },
	{ "append-grow", CONTENT "more", 14, NULL },
	{ "append-shrink", "01", 2, NULL },
	{ "append-touch", "abcdefghij", 10, NULL },
	{ "append-rotate", "new", 3, NULL },
	{ "append-missing", "", 0, NULL },
	{ "append-replace", REPLACED, 25, NULL },
	{ "append-kind", NULL, 0, "another kind" },
	{ "append-link", NULL, 0, "cannot be made anew" },
	{ "append-folder", NULL, 0, "cannot be made anew" },
	{ "append-undo", NULL, 0, "other" },
	{ "recreate-grow", CONTENT "more", AT, NULL },
	{ "recreate-shrink", "01", 2, NULL },
	{ "recreate-rotate", "new", 3, NULL },
	{ "recreate-missing", "", 0, NULL },
	{ "recreate-replace", REPLACED, AT, NULL },
	{ "recreate-kind", NULL, 0, "another kind" },
	{ "recreate-folder", NULL, 0, "cannot be made anew" },
	{ "snapshot-none", CONTENT, AT, NULL },
	{ "snapshot-grow", CONTENT, AT, NULL },
	{ "snapshot-shrink", CONTENT, AT, NULL },
	{ "snapshot-touch", CONTENT, AT, NULL },
	{ "snapshot-rotate", CONTENT, AT, NULL },
	{ "snapshot-missing", CONTENT, AT, NULL },
	{ "snapshot-replace", CONTENT, AT, NULL },
	{ "snapshot-kind", NULL, 0, "another kind" },
	{ "snapshot-link", NULL, 0, "another kind" },
	{ "snapshot-folder", NULL, 0, "content" },
	{ "snapshot-undo", NULL, 0, "other" },
};

static int file, reader = -1, other;
static char *area, *copy;

static bool is_action(const char *action)
{
	return strncmp(test_argument(), action, strlen(action)) == 0;
}

static bool is_event(const char *event)
{
	return strcmp(strchr(test_argument(), '-') + 1, event) == 0;
}

static void write_file(const char *name, const char *content)
{
	int fd = must(open(test_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644));

	must(write(fd, content, strlen(content)));
	close(fd);
}

static const char *read_file(const char *name)
{
	static char text[64];
	int fd = open(test_path(name), O_RDONLY | O_NOFOLLOW);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	if (length < 0)
		return NULL;
	text[length] = '\0';
	return text;
}

void test_setup(void)
{
	char rule[4096];
	char *minus = strchr(test_argument(), '-');

	must(mkdir(test_path("folder"), 0755));
	snprintf(rule, sizeof rule, "# whatever\n\nfile %s %.*s  # a comment\n", test_path("folder/d?t*"),
		 (int)(minus - test_argument()), test_argument());
	if (!is_action("default") && !is_action("reader"))
		write_file("rules", rule);
	file = must(open(test_path("folder/data"), O_RDWR | O_CREAT | O_EXCL, 0600));
	must(write(file, CONTENT, strlen(CONTENT)));
	must(fchmod(file, 0640));
	must(fchown(file, 1700, 1701));
	if (is_action("default") || is_action("reader")) {
		close(file);
		file = must(open(test_path("folder/data"), O_WRONLY | O_APPEND));
	}
	if (!is_action("default"))
		reader = must(open(test_path("folder/data"), O_RDONLY));
	if (is_action("snapshot")) {
		area = must(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
		copy = must(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, reader, 0));
	}
	if (is_event("undo")) {
		other = must(open(test_path("other"), O_RDWR | O_CREAT | O_EXCL, 0600));
		must(write(other, CONTENT, strlen(CONTENT)));
	}
	must(lseek(file, AT, SEEK_SET));
}

static void change(void)
{
	char away[4096];

	snprintf(away, sizeof away, "%s", test_path("folder/data.1"));
	if (is_event("grow")) {
		int fd = must(open(test_path("folder/data"), O_WRONLY | O_APPEND));

		must(write(fd, "more", 4));
	} else if (is_event("shrink")) {
		must(truncate(test_path("folder/data"), 2));
	} else if (is_event("touch")) {
		write_file("folder/data", "abcdefghij");
	} else if (is_event("replace") || is_event("undo")) {
		write_file("folder/data.1", REPLACED);
		must(rename(away, test_path("folder/data")));
		must(link(test_path("folder/data"), away));
	} else if (is_event("folder")) {
		snprintf(away, sizeof away, "%s", test_path("elsewhere"));
		must(rename(test_path("folder"), away));
	} else if (!is_event("none")) {
		must(rename(test_path("folder/data"), away));
	}
	if (is_event("rotate"))
		write_file("folder/data", "new");
	if (is_event("kind"))
		must(mkdir(test_path("folder/data"), 0700));
	if (is_event("link"))
		must(symlink("nowhere", test_path("folder/data")));
	if (is_event("undo"))
		write_file("other", "short");
	if (is_event("undo") && is_action("append"))
		must(unlink(test_path("folder/data")));
}

static size_t which(void)
{
	size_t i = 0;

	while (strcmp(cases[i].name, test_argument()))
		i++;
	return i;
}

void test_meanwhile(void)
{
	change();
	if (cases[which()].content)
		return;
	write_file("stays-away", "");
	write_file("expect", cases[which()].says);
}

void test_left(void)
{
	struct stat status;

	expect(access(test_path("folder/.data.tinyckpt"), F_OK), "a half-made file was left");
	if (is_event("missing") || (is_event("undo") && is_action("append")))
		expect(lstat(test_path("folder/data"), &status), "a file that was made was left");
	if (is_event("undo") && is_action("snapshot"))
		expect(read_file("folder/data") && !strcmp(read_file("folder/data"), REPLACED), "it holds \"%s\"",
		       read_file("folder/data"));
}

void test_break(void)
{
	must(lseek(file, 0, SEEK_SET));
	must(ftruncate(file, 1));
}

void test_check(void)
{
	const char *content = cases[which()].content ?: CONTENT, *now = read_file("folder/data");
	off_t at = lseek(file, 0, SEEK_CUR);
	struct stat named, opened;
	char text[8] = "";

	expect(now && !strcmp(now, content), "it holds \"%s\" instead of \"%s\"", now, content);
	expect(at == cases[which()].at, "its offset is %d", (int)at);
	must(stat(test_path("folder/data"), &named));
	must(fstat(file, &opened));
	expect(named.st_ino == opened.st_ino && opened.st_nlink == (is_event("replace") && !is_action("snapshot") ? 2 : 1),
	       "another file has its name");
	if (!is_event("replace") && !is_event("rotate"))
		expect((opened.st_mode & 07777) == 0640 && opened.st_uid == 1700 && opened.st_gid == 1701, "mode %o, owner %d:%d",
		       opened.st_mode, opened.st_uid, opened.st_gid);
	expect(access(test_path("folder/.data.tinyckpt"), F_OK), "a half-made file was left");
	must(write(file, "!", 1));
	if (reader >= 0) {
		must(lseek(reader, at, SEEK_SET));
		expect(read(reader, text, 1) == 1 && text[0] == '!', "the other opening does not see what this one writes");
	}
	if (area)
		expect(area[at] == '!' && copy[at] == '!' && !memcmp(copy, CONTENT, AT), "a mapping does not show what is written");
	if (is_action("snapshot") && is_event("replace"))
		expect(read_file("folder/data.1") && !strcmp(read_file("folder/data.1"), REPLACED),
		       "who had the other file open sees its content changed");
}
