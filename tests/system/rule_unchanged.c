/* SPDX-License-Identifier: MIT */
/* Rules for files to which nothing happens: each is the same file, with the same flags, offset and time. */
#include "testlib.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const actions[] = { "exact", "grow", "append", "recreate", "snapshot" };
enum { FILES = sizeof actions / sizeof *actions, AT = 3 };

static int files[FILES];
static struct stat before[FILES];

void test_setup(void)
{
	FILE *rules = fopen(test_path("rules"), "w");

	for (int i = 0; i < FILES; i++) {
		fprintf(rules, "file %s %s\n", test_path(actions[i]), actions[i]);
		files[i] = must(open(test_path(actions[i]), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
		must(write(files[i], "content", 7));
		must(lseek(files[i], AT, SEEK_SET));
		must(fstat(files[i], &before[i]));
	}
	fclose(rules);
}

void test_break(void)
{
	must(lseek(files[2], 0, SEEK_END));
}

void test_check(void)
{
	for (int i = 0; i < FILES; i++) {
		struct stat now;

		must(fstat(files[i], &now));
		expect(now.st_ino == before[i].st_ino && now.st_nlink == 1, "%s: another file", actions[i]);
		expect(now.st_mtim.tv_sec == before[i].st_mtim.tv_sec && now.st_mtim.tv_nsec == before[i].st_mtim.tv_nsec,
		       "%s: another time of modification", actions[i]);
		expect((fcntl(files[i], F_GETFL) & (O_NOFOLLOW | O_ACCMODE)) == (O_NOFOLLOW | O_RDWR), "%s: flags %#o", actions[i],
		       fcntl(files[i], F_GETFL));
		expect(lseek(files[i], 0, SEEK_CUR) == AT, "%s: at %d", actions[i], (int)lseek(files[i], 0, SEEK_CUR));
	}
}
