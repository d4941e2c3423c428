/* SPDX-License-Identifier: MIT */
/* What the tests of the image container share: a folder, a small image, readers, what was said. */
#ifndef IMAGE_FIXTURE_H
#define IMAGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* base/log.h has a function of that name */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "footer.pb.h"
#include "header.pb.h"
#include "image/crc32c.h"
#include "image/reader.h"
#include "image/writer.h"
#include "pages.pb.h"
#include <pb_encode.h>

#define MUST RECORD_MUST_UNDERSTAND
#define UNKNOWN 60000 /* no type of ours */

static char directory[] = "/tmp/test_image.XXXXXX";
static char path[64];
static int log_file;

/* Takes what was logged since the last call. */
static inline const char *logged(void)
{
	static char text[8192];
	ssize_t n = pread(log_file, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	assert_int_equal(ftruncate(log_file, 0), 0);
	lseek(log_file, 0, SEEK_SET);
	return text;
}

/* Every failure says why once, in one line, which has WORDS in it. */
static inline void assert_said(const char *words)
{
	const char *text = logged();

	if (strncmp(text, "tinyckpt: ", 10) != 0 || strchr(text, '\n') != text + strlen(text) - 1 ||
	    !strstr(text, words)) {
		print_error("not one line with \"%s\": %s", words, text);
		assert_true(false);
	}
}

static inline int set_up(void **state)
{
	(void)state;
	log_file = memfd_create("log", MFD_CLOEXEC);
	log_init(NULL, LOG_NOTICE, log_file);
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/a.tck", directory);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	close(log_file);
	return remove_folder(directory);
}

/*
 * A small image with all that the container knows: a header, records without and with a body, an unknown one that
 * may be passed over, marks.
 */
static inline void write_small(const char *name)
{
	struct image_writer w;
	struct image_totals totals = { .processes = 2, .threads = 3, .files = 4, .pages_stored = 5, .pages_zero = 6 };
	Header header = { .page_size = 4096, .created = 1234567890123456789, .kernel_release = "6.1", .features_count = 1,
			  .features = { 0xabc } };
	Pages pages = { .process = 42, .start_count = 2, .start = { 0x400, 0x7ffffffff }, .count_count = 2,
			.count = { 1, 2 }, .page_shift = 4 };
	char body[48];

	memset(body, 'b', sizeof(body));
	assert_int_equal(image_create(&w, name, NULL), 0);
	assert_int_equal(image_write(&w, RECORD_HEADER, MUST, Header_fields, &header, NULL, 0), 0);
	image_mark(&w, RECORD_PAGES, 42);
	assert_int_equal(image_write(&w, RECORD_PAGES, MUST, Pages_fields, &pages, body, sizeof(body)), 0);
	image_mark(&w, UNKNOWN, 1);
	assert_int_equal(image_write(&w, UNKNOWN, 0, Header_fields, &header, "xyz", 3), 0);
	pages.process = 43;
	image_mark(&w, RECORD_PAGES, 43);
	assert_int_equal(image_write(&w, RECORD_PAGES, MUST, Pages_fields, &pages, body, sizeof(body)), 0);
	assert_int_equal(image_write(&w, UNKNOWN + 1, 0, NULL, NULL, NULL, 0), 0);
	assert_int_equal(image_commit(&w, &totals), 0);
	assert_int_equal(totals.records, 5);
	assert_int_equal(totals.body_bytes, 99);
}

/* Decodes what it knows, as a command would. 0 when all is read and the end is good. */
static inline int read_through(struct image_reader *r)
{
	static Pages pages;
	struct record rec;
	Header header;
	int ret;

	while ((ret = image_next(r, &rec)) == 1) {
		if (rec.type == RECORD_HEADER)
			ret = record_decode(&rec, Header_fields, &header);
		else if (rec.type == RECORD_PAGES)
			ret = record_decode(&rec, Pages_fields, &pages);
		else
			ret = record_unknown(&rec);
		if (ret < 0)
			return ret;
	}
	return ret;
}

static inline int read_fd(int fd)
{
	struct image_reader r;
	int err = image_open_fd(&r, fd);

	if (!err)
		err = read_through(&r);
	image_close(&r);
	return err;
}

/* Reads the bytes as a file. */
static inline int read_file(const uint8_t *image, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	int err;

	assert_int_equal(write_all(fd, image, len), 0);
	err = read_fd(fd);
	close(fd);
	return err;
}

/* Reads them as a stream; they must fit into a pipe. */
static inline int read_stream(const uint8_t *image, size_t len)
{
	int ends[2], err;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write_all(ends[1], image, len), 0);
	close(ends[1]);
	err = read_fd(ends[0]);
	close(ends[0]);
	return err;
}

static inline size_t load(const char *name, uint8_t *image, size_t cap)
{
	int fd = open(name, O_RDONLY);
	size_t len;

	assert_int_equal(read_upto(fd, image, cap, &len), 0);
	close(fd);
	assert_true(len < cap);
	return len;
}

static uint8_t small[4096];
static size_t small_len;

static inline int set_up_small(void **state)
{
	if (set_up(state))
		return -1;
	write_small(path);
	small_len = load(path, small, sizeof(small));
	return 0;
}

#endif
