/* SPDX-License-Identifier: MIT */
/* What the tests of the file that an image becomes share: a folder, images that a byte marks, calls that fail. */
#ifndef TARGET_FIXTURE_H
#define TARGET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "folder.h"

#include "base/io.h"
#include "base/log.h"
#include "image/reader.h"
#include "image/writer.h"

#define TYPE 60000

static bool without_tmpfile;
static char directory[32];
static char path[64];

/* From here on that call fails in this process, where its argument has any of those bits, or (exactly) is that. */
static inline void take_away(unsigned int call, unsigned int argument, bool exactly, unsigned int value, unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, args) + 8 * argument),
		BPF_JUMP(BPF_JMP | (exactly ? BPF_JEQ : BPF_JSET) | BPF_K, value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		print_error("no seccomp: %s\n", strerror(errno));
		exit(1);
	}
}

static inline void take_tmpfile_away(unsigned int error)
{
	take_away(SYS_openat, 2, false, O_TMPFILE & ~O_DIRECTORY, error);
}

static inline int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_target.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/a.tck", directory);
	log_init(NULL, LOG_QUIET, 2);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	return remove_folder(directory);
}

/* Some bodies whose first byte is MARK. */
static inline int write_some(struct image_writer *w, int bodies, uint8_t mark)
{
	int err = 0;

	while (!err && bodies--) {
		memset(image_body(w), mark, BODY_MAX);
		err = image_write(w, TYPE, 0, NULL, NULL, image_body(w), BODY_MAX);
	}
	return err;
}

/* With err it comes to nothing, and that is what is returned. */
static inline int end_image(struct image_writer *w, int err)
{
	struct image_totals totals = { 0 };

	if (!err)
		err = image_commit(w, &totals);
	image_drop(w);
	return err;
}

static inline int write_image(const char *name, int bodies, uint8_t mark)
{
	struct image_writer w;
	int err = image_create(&w, name, NULL);

	if (!err)
		err = write_some(&w, bodies, mark);
	return end_image(&w, err);
}

/* Reads it whole and gives the mark of its bodies; negative when it is not a good image. */
static inline int read_image(const char *name)
{
	struct image_reader r;
	struct record rec;
	int mark = -1, ret = image_open(&r, name, NULL);

	if (ret)
		return ret;
	while ((ret = image_next(&r, &rec)) == 1)
		mark = rec.body[0];
	image_close(&r);
	return ret ? ret : mark;
}

#define TARGET_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* All of them, and again with O_TMPFILE taken away as on file systems that have none; how many failed. */
static inline int run_both_ways(const struct CMUnitTest *tests, size_t count)
{
	int failures = _cmocka_run_group_tests("with O_TMPFILE", tests, count, NULL, NULL);

	without_tmpfile = true;
	take_tmpfile_away(EOPNOTSUPP);
	return failures + _cmocka_run_group_tests("without O_TMPFILE", tests, count, NULL, NULL);
}

#endif
