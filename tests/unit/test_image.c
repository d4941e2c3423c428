/* SPDX-License-Identifier: MIT */
/* The image container: round trips, and every way in which a file can be wrong. */
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
static const char *logged(void)
{
	static char text[8192];
	ssize_t n = pread(log_file, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	assert_int_equal(ftruncate(log_file, 0), 0);
	lseek(log_file, 0, SEEK_SET);
	return text;
}

/* Every failure says why once, in one line, which has WORDS in it. */
static void assert_said(const char *words)
{
	const char *text = logged();

	if (strncmp(text, "tinyckpt: ", 10) != 0 || strchr(text, '\n') != text + strlen(text) - 1 ||
	    !strstr(text, words)) {
		print_error("not one line with \"%s\": %s", words, text);
		assert_true(false);
	}
}

/* Names in the test's directory. */
static int entries(void)
{
	DIR *dir = opendir(directory);
	int n = -2;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int set_up(void **state)
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

static int tear_down(void **state)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	(void)state;
	while ((entry = readdir(dir)))
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	closedir(dir);
	rmdir(directory);
	close(log_file);
	return 0;
}

/*
 * A small image with all that the container knows: a header, records without and with a body, an unknown one that
 * may be passed over, marks.
 */
static void write_small(const char *name)
{
	struct image_writer w;
	struct image_totals totals = { .processes = 2, .threads = 3, .files = 4, .pages_stored = 5, .pages_zero = 6 };
	Header header = { .page_size = 4096, .created = 1234567890123456789, .kernel_release = "6.1", .hwcap = 0xabc };
	Pages pages = { .process = 42, .start_count = 2, .start = { 0x400, 0x7ffffffff }, .count_count = 2,
			.count = { 1, 2 }, .page_shift = 4 };
	char body[48];

	memset(body, 'b', sizeof(body));
	assert_int_equal(image_create(&w, name), 0);
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
static int read_through(struct image_reader *r)
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

static int read_fd(int fd)
{
	struct image_reader r;
	int err = image_open_fd(&r, fd);

	if (!err)
		err = read_through(&r);
	image_close(&r);
	return err;
}

/* Reads the bytes as a file. */
static int read_file(const uint8_t *image, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	int err;

	assert_int_equal(write_all(fd, image, len), 0);
	err = read_fd(fd);
	close(fd);
	return err;
}

/* Reads them as a stream; they must fit into a pipe. */
static int read_stream(const uint8_t *image, size_t len)
{
	int ends[2], err;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write_all(ends[1], image, len), 0);
	close(ends[1]);
	err = read_fd(ends[0]);
	close(ends[0]);
	return err;
}

static size_t load(const char *name, uint8_t *image, size_t cap)
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

static int set_up_small(void **state)
{
	if (set_up(state))
		return -1;
	write_small(path);
	small_len = load(path, small, sizeof(small));
	return 0;
}

static void test_round_trip(void **state)
{
	static Pages pages;
	struct image_reader r;
	struct record rec;
	const struct image_totals *totals;
	Header header;
	uint64_t offset;
	int pass;

	(void)state;
	assert_int_equal(read_file(small, small_len), 0);
	assert_int_equal(read_stream(small, small_len), 0);

	assert_int_equal(image_open(&r, path), 0);
	totals = image_totals(&r);
	assert_non_null(totals);
	assert_int_equal(totals->processes, 2);
	assert_int_equal(totals->threads, 3);
	assert_int_equal(totals->files, 4);
	assert_int_equal(totals->pages_stored, 5);
	assert_int_equal(totals->pages_zero, 6);
	assert_int_equal(totals->records, 5);
	assert_int_equal(totals->body_bytes, 99);
	for (pass = 0; pass < 2; pass++) {
		assert_int_equal(image_next(&r, &rec), 1);
		assert_int_equal(rec.type, RECORD_HEADER);
		assert_int_equal(rec.flags, MUST);
		assert_int_equal(rec.offset, IMAGE_PREAMBLE);
		assert_int_equal(rec.body_len, 0);
		assert_null(rec.body);
		assert_int_equal(record_decode(&rec, Header_fields, &header), 0);
		assert_int_equal(header.created, 1234567890123456789);
		assert_string_equal(header.kernel_release, "6.1");
		assert_int_equal(image_next(&r, &rec), 1);
		assert_int_equal(record_decode(&rec, Pages_fields, &pages), 0);
		assert_int_equal(pages.start_count, 2);
		assert_int_equal(pages.start[1], 0x7ffffffff);
		assert_int_equal(rec.body_len, 48);
		if (pass == 0) {
			assert_int_equal((uintptr_t)rec.body % (size_t)getpagesize(), 0);
			assert_int_equal(rec.body[47], 'b');
		} else {
			assert_null(rec.body);
		}
		assert_int_equal(image_next(&r, &rec), 1);
		assert_int_equal(rec.type, UNKNOWN);
		assert_int_equal(image_next(&r, &rec), 1);
		assert_int_equal(image_next(&r, &rec), 1);
		assert_int_equal(rec.message_len, 0);
		assert_int_equal(rec.body_len, 0);
		assert_int_equal(image_next(&r, &rec), 0);
		assert_int_equal(image_next(&r, &rec), 0);
		assert_int_equal(image_seek(&r, IMAGE_PREAMBLE), 0);
		r.skip_bodies = true;
	}
	r.skip_bodies = false;
	assert_int_equal(image_find(&r, RECORD_PAGES, 43, &offset), 1);
	assert_int_equal(image_seek(&r, offset), 0);
	assert_int_equal(image_offset(&r), offset);
	assert_int_equal(image_next(&r, &rec), 1);
	assert_int_equal(rec.offset, offset);
	assert_int_equal(record_decode(&rec, Pages_fields, &pages), 0);
	assert_int_equal(pages.process, 43);
	assert_int_equal(image_next(&r, &rec), 1);
	assert_int_equal(image_next(&r, &rec), 0);
	assert_int_equal(image_find(&r, RECORD_PAGES, 44, &offset), 0);
	assert_int_equal(image_find(&r, RECORD_HEADER, 42, &offset), 0);
	assert_string_equal(logged(), "");
	/* In the middle of a frame there is none. */
	assert_int_equal(image_seek(&r, offset + 1), 0);
	assert_int_equal(image_next(&r, &rec), -EIMAGE);
	logged();
	assert_int_equal(image_next(&r, &rec), -EIMAGE);
	assert_string_equal(logged(), "");
	assert_int_equal(image_seek(&r, 0), -EIMAGE);
	assert_said("outside");
	assert_int_equal(image_seek(&r, small_len - 1), -EIMAGE);
	assert_said("outside");
	image_close(&r);
	image_close(&r);
	assert_true(image_next(&r, &rec) < 0);
}

/* One bit is wrong, anywhere. */
static void test_every_bit(void **state)
{
	size_t at;
	int bit;

	(void)state;
	for (at = 0; at < small_len; at++) {
		for (bit = 0; bit < 8; bit++) {
			small[at] ^= (uint8_t)(1 << bit);
			assert_int_equal(read_file(small, small_len), -EIMAGE);
			assert_said("");
			assert_int_equal(read_stream(small, small_len), -EIMAGE);
			assert_said("");
			small[at] ^= (uint8_t)(1 << bit);
		}
	}
}

static void test_every_length(void **state)
{
	size_t len;

	(void)state;
	for (len = 0; len < small_len; len++) {
		assert_int_equal(read_file(small, len), -EIMAGE);
		assert_said(len ? "image" : "empty");
		assert_int_equal(read_stream(small, len), -EIMAGE);
		assert_said(len ? "image" : "empty");
	}
	memset(small + small_len, 0, 8);
	for (len = small_len + 1; len < small_len + 8; len++) {
		assert_int_equal(read_file(small, len), -EIMAGE);
		assert_said("end");
		assert_int_equal(read_stream(small, len), -EIMAGE);
		assert_said("follows");
	}
}

/* A second image behind the first has a good trailer at the end. */
static void test_two_in_a_row(void **state)
{
	uint8_t two[2 * sizeof(small)];

	(void)state;
	memcpy(two, small, small_len);
	memcpy(two + small_len, small, small_len);
	assert_int_equal(read_file(two, 2 * small_len), -EIMAGE);
	logged();
	assert_int_equal(read_stream(two, 2 * small_len), -EIMAGE);
	assert_said("follows");
}

/* Zeroed pages, as a file system may leave after a power cut. */
static void test_zeroed_parts(void **state)
{
	uint8_t copy[sizeof(small)];
	size_t at;

	(void)state;
	for (at = 0; at + 16 <= small_len; at++) {
		memcpy(copy, small, small_len);
		memset(copy + at, 0, 16);
		assert_int_equal(read_file(copy, small_len), -EIMAGE);
		logged();
		memset(copy + at, 0, small_len - at);
		assert_int_equal(read_file(copy, small_len), -EIMAGE);
		logged();
	}
}

/* ---- Images made by hand, with good checksums throughout ---- */

static uint8_t made[8 * 1024];
static size_t made_len;
static uint32_t made_chain;

static void begin(uint16_t version, uint16_t machine)
{
	memcpy(made, IMAGE_MAGIC, 8);
	put_le16(made + 8, version);
	put_le16(made + 10, machine);
	put_le32(made + 12, crc32c(0, made, 12));
	made_len = 16;
	made_chain = 0;
}

/* CLAIM: the lengths to write into the header; 0: the true ones. */
static void add(uint16_t type, uint16_t flags, const void *message, size_t message_len, const void *body,
		size_t body_len, uint32_t claim_message, uint32_t claim_body)
{
	uint8_t *header = made + made_len;

	put_le16(header, type);
	put_le16(header + 2, flags);
	put_le32(header + 4, claim_message ? claim_message : (uint32_t)message_len);
	put_le32(header + 8, claim_body ? claim_body : (uint32_t)body_len);
	put_le32(header + 12, crc32c(0, body, body_len));
	if (message_len)
		memcpy(header + FRAME_HEADER, message, message_len);
	if (body_len)
		memcpy(header + FRAME_HEADER + message_len, body, body_len);
	put_le32(header + 16, crc32c(crc32c(0, header, 16), message, message_len));
	made_chain = crc32c(made_chain, header + 16, 4);
	made_len += FRAME_HEADER + message_len + body_len;
}

static void add_plain(uint16_t type, uint16_t flags)
{
	add(type, flags, NULL, 0, NULL, 0, 0, 0);
}

/* FOOTER as it is, or with the true counts where it is NULL. */
static void end(const Footer *footer, uint64_t records, const void *index, size_t index_len)
{
	Footer own = { .records = records, .chain = made_chain };
	uint8_t message[Footer_size];
	pb_ostream_t out = pb_ostream_from_buffer(message, sizeof(message));
	uint64_t offset = made_len;

	assert_true(pb_encode(&out, Footer_fields, footer ? footer : &own));
	add(RECORD_FOOTER, MUST, message, out.bytes_written, index, index_len, 0, 0);
	put_le64(made + made_len, offset);
	put_le32(made + made_len + 8, crc32c(0, made + made_len, 8));
	memcpy(made + made_len + 12, IMAGE_END_MAGIC, 4);
	made_len += IMAGE_TRAILER;
}

static void assert_refused(const char *words)
{
	assert_int_equal(read_file(made, made_len), -EIMAGE);
	assert_said(words);
	assert_int_equal(read_stream(made, made_len), -EIMAGE);
	assert_said(words);
}

static void test_made_by_hand(void **state)
{
	(void)state;
	begin(IMAGE_VERSION, image_own_machine());
	end(NULL, 0, NULL, 0);
	assert_int_equal(read_file(made, made_len), 0);
	assert_int_equal(read_stream(made, made_len), 0);
	begin(IMAGE_VERSION, image_own_machine());
	add_plain(UNKNOWN, 0);
	add_plain(UNKNOWN, 0);
	end(NULL, 2, NULL, 0);
	assert_int_equal(read_file(made, made_len), 0);
	assert_int_equal(read_stream(made, made_len), 0);
	assert_string_equal(logged(), "");
}

static void test_other_makers(void **state)
{
	(void)state;
	begin(IMAGE_VERSION + 1, image_own_machine());
	end(NULL, 0, NULL, 0);
	assert_refused("format 2");
	begin(IMAGE_VERSION, image_own_machine() == 40 ? 62 : 40);
	end(NULL, 0, NULL, 0);
	assert_refused("made on ");
	begin(IMAGE_VERSION, 0xffff);
	end(NULL, 0, NULL, 0);
	assert_refused("made on unknown (machine 65535)");
	begin(IMAGE_VERSION, image_own_machine());
	add_plain(UNKNOWN, MUST);
	end(NULL, 1, NULL, 0);
	assert_refused("made by a newer tinyckpt: record type 60000");
	begin(IMAGE_VERSION, image_own_machine());
	add_plain(UNKNOWN, 0x8000);
	end(NULL, 1, NULL, 0);
	assert_refused("made by a newer tinyckpt: record type 60000 with flags 0x8000");
	begin(IMAGE_VERSION, image_own_machine());
	end(&(Footer){ .flags = 4 }, 0, NULL, 0);
	assert_refused("made by a newer tinyckpt: flags 0x4");
}

static void test_absurd_lengths(void **state)
{
	static const uint32_t lengths[] = {
		MESSAGE_MAX + 1, BODY_MAX + 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		begin(IMAGE_VERSION, image_own_machine());
		add(UNKNOWN, 0, NULL, 0, NULL, 0, lengths[i], 0);
		end(NULL, 1, NULL, 0);
		assert_refused("header is damaged");
		if (lengths[i] <= BODY_MAX)
			continue;
		begin(IMAGE_VERSION, image_own_machine());
		add(UNKNOWN, 0, NULL, 0, NULL, 0, 0, lengths[i]);
		end(NULL, 1, NULL, 0);
		assert_refused("header is damaged");
	}
	/* Within the bounds, but beyond the file; and up to the footer's middle. */
	begin(IMAGE_VERSION, image_own_machine());
	add(UNKNOWN, 0, NULL, 0, NULL, 0, 0, BODY_MAX);
	end(NULL, 1, NULL, 0);
	assert_int_equal(read_file(made, made_len), -EIMAGE);
	assert_said("does not fit");
	begin(IMAGE_VERSION, image_own_machine());
	add(UNKNOWN, 0, NULL, 0, NULL, 0, 0, 4);
	end(NULL, 1, NULL, 0);
	assert_int_equal(read_file(made, made_len), -EIMAGE);
	assert_said("");
}

/* The same, when the bodies are passed over and so not checked. */
static void test_skipping_into_the_footer(void **state)
{
	struct image_reader r;
	struct record rec;
	uint8_t header[16];
	int fd = memfd_create("image", MFD_CLOEXEC);

	(void)state;
	begin(IMAGE_VERSION, image_own_machine());
	add_plain(UNKNOWN, 0);
	/* A body of 8 bytes that are the footer's own; the header's checksum is made good. */
	memcpy(header, made + 16, 16);
	put_le32(header + 8, 8);
	memcpy(made + 16, header, 16);
	put_le32(made + 32, crc32c(0, header, 16));
	made_chain = crc32c(0, made + 32, 4);
	end(NULL, 1, NULL, 0);
	assert_int_equal(write_all(fd, made, made_len), 0);
	assert_int_equal(image_open_fd(&r, fd), 0);
	r.skip_bodies = true;
	assert_int_equal(image_next(&r, &rec), -EIMAGE);
	assert_said("runs into the footer");
	image_close(&r);
	close(fd);
}

static void test_wrong_footers(void **state)
{
	uint64_t offset;

	(void)state;
	begin(IMAGE_VERSION, image_own_machine());
	add_plain(UNKNOWN, 0);
	end(NULL, 2, NULL, 0);
	assert_refused("missing");
	begin(IMAGE_VERSION, image_own_machine());
	add_plain(UNKNOWN, 0);
	end(&(Footer){ .records = 1, .body_bytes = 1, .chain = made_chain }, 0, NULL, 0);
	assert_refused("missing");
	begin(IMAGE_VERSION, image_own_machine());
	add_plain(UNKNOWN, 0);
	end(&(Footer){ .records = 1, .chain = made_chain ^ 1 }, 0, NULL, 0);
	assert_refused("missing");
	begin(IMAGE_VERSION, image_own_machine());
	end(NULL, 0, "01234567890123456789", 20);
	assert_refused("index");
	/* Two footers: a stream ends at the first, a file's trailer knows the second. */
	begin(IMAGE_VERSION, image_own_machine());
	end(NULL, 0, NULL, 0);
	made_len -= IMAGE_TRAILER;
	end(NULL, 0, NULL, 0);
	assert_refused("");
	/* A footer that cannot be decoded. */
	begin(IMAGE_VERSION, image_own_machine());
	offset = made_len;
	add(RECORD_FOOTER, MUST, "\x08", 1, NULL, 0, 0, 0);
	put_le64(made + made_len, offset);
	put_le32(made + made_len + 8, crc32c(0, made + made_len, 8));
	memcpy(made + made_len + 12, IMAGE_END_MAGIC, 4);
	made_len += IMAGE_TRAILER;
	assert_refused("record type 3 at byte 16");
}

/* The trailer points anywhere, with a good checksum. */
static void test_wrong_trailers(void **state)
{
	static const uint64_t far[] = { 1ULL << 32, 1ULL << 63, UINT64_MAX, UINT64_MAX - 15, INT64_MAX };
	uint8_t *trailer = small + small_len - IMAGE_TRAILER;
	uint64_t good = get_le64(trailer), offset;
	size_t i;

	(void)state;
	for (offset = 0; offset < small_len + 100 + sizeof(far) / sizeof(far[0]); offset++) {
		i = (size_t)offset - (small_len + 100);
		put_le64(trailer, offset < small_len + 100 ? offset : far[i]);
		put_le32(trailer + 8, crc32c(0, trailer, 8));
		if (offset == good)
			continue;
		assert_int_equal(read_file(small, small_len), -EIMAGE);
		assert_said("");
		assert_int_equal(read_stream(small, small_len), -EIMAGE);
		assert_said("end");
	}
}

/* Whole frames lost, doubled, exchanged: each is fine by itself. */
static void test_shuffled_frames(void **state)
{
	uint64_t at[8];
	uint8_t copy[2 * sizeof(small)], *p;
	struct image_reader r;
	struct record rec;
	int frames = 0, order[8], kind, i, n;

	(void)state;
	assert_int_equal(image_open(&r, path), 0);
	while (image_next(&r, &rec) == 1)
		at[frames++] = rec.offset;
	at[frames] = r.footer_offset;
	image_close(&r);
	for (kind = 0; kind < 3 * frames; kind++) {
		int victim = kind / 3;
		uint64_t footer;

		for (i = n = 0; i < frames; i++) {
			if (i == victim && kind % 3 == 0)
				continue; /* lost */
			order[n++] = i;
			if (i == victim && kind % 3 == 1)
				order[n++] = i; /* doubled */
		}
		if (kind % 3 == 2) { /* exchanged with the next */
			if (victim + 1 == frames)
				continue;
			order[victim] = victim + 1;
			order[victim + 1] = victim;
		}
		p = copy;
		memcpy(p, small, IMAGE_PREAMBLE);
		p += IMAGE_PREAMBLE;
		for (i = 0; i < n; i++) {
			memcpy(p, small + at[order[i]], at[order[i] + 1] - at[order[i]]);
			p += at[order[i] + 1] - at[order[i]];
		}
		footer = (uint64_t)(p - copy);
		memcpy(p, small + at[frames], small_len - at[frames]);
		p += small_len - at[frames];
		put_le64(p - 16, footer);
		put_le32(p - 8, crc32c(0, p - 16, 8));
		assert_int_equal(read_file(copy, (size_t)(p - copy)), -EIMAGE);
		assert_said("missing, doubled");
		assert_int_equal(read_stream(copy, (size_t)(p - copy)), -EIMAGE);
		assert_said("missing, doubled");
	}
}

static void test_hostile_messages(void **state)
{
	uint8_t many[1200];
	size_t i;

	(void)state;
	/* More runs than the bound; a string beyond its bound; a varint without end; a group. */
	for (i = 0; i < sizeof(many); i += 2) {
		many[i] = 2 << 3;
		many[i + 1] = 1;
	}
	begin(IMAGE_VERSION, image_own_machine());
	add(RECORD_PAGES, MUST, many, sizeof(many), NULL, 0, 0, 0);
	end(NULL, 1, NULL, 0);
	assert_refused("record type 2 at byte 16");
	begin(IMAGE_VERSION, image_own_machine());
	memset(many, 'x', sizeof(many));
	many[0] = 3 << 3 | 2;
	many[1] = 100;
	add(RECORD_HEADER, MUST, many, 102, NULL, 0, 0, 0);
	end(NULL, 1, NULL, 0);
	assert_refused("record type 1 at byte 16");
	begin(IMAGE_VERSION, image_own_machine());
	many[0] = 1 << 3;
	memset(many + 1, 0xff, 100);
	add(RECORD_HEADER, MUST, many, 100, NULL, 0, 0, 0);
	end(NULL, 1, NULL, 0);
	assert_refused("record type 1");
	begin(IMAGE_VERSION, image_own_machine());
	add(RECORD_HEADER, MUST, "\x1a\x7f", 2, NULL, 0, 0, 0);
	end(NULL, 1, NULL, 0);
	assert_refused("record type 1");
}

/* Not images at all. */
static void test_other_files(void **state)
{
	struct image_reader r;
	char name[80];

	(void)state;
	assert_int_equal(image_open(&r, directory), -EIMAGE);
	assert_said("not a regular file");
	assert_int_equal(image_open(&r, "/dev/zero"), -EIMAGE);
	assert_said("not a regular file");
	snprintf(name, sizeof(name), "%s/fifo", directory);
	assert_int_equal(mkfifo(name, 0600), 0);
	alarm(10); /* it must not wait for a writer */
	assert_int_equal(image_open(&r, name), -EIMAGE);
	alarm(0);
	assert_said("not a regular file");
	snprintf(name, sizeof(name), "%s/none", directory);
	assert_int_equal(image_open(&r, name), -ENOENT);
	assert_said("/none: cannot be read: No such file");
	image_close(&r);
	assert_int_equal(image_open(&r, "/etc/passwd"), -EIMAGE);
	assert_said("/etc/passwd: not a tinyckpt image");
	assert_int_equal(image_open(&r, "/proc/self/mem"), -EIO);
	assert_said("cannot be read");
	snprintf(name, sizeof(name), "%s/link", directory);
	assert_int_equal(symlink("a.tck", name), 0);
	assert_int_equal(image_open(&r, name), 0);
	assert_int_equal(read_through(&r), 0);
	image_close(&r);
	snprintf(name, sizeof(name), "%s/empty", directory);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(image_open(&r, name), -EIMAGE);
	assert_said("/empty: empty: not an image");
}

/* ---- Large images ---- */

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)random_state * below >> 32);
}

static void draw_record(int i, Pages *pages, size_t *body_len)
{
	static const uint32_t interesting[] = { 0, 1, 2, 4095, 4096, 4097, 16384, BODY_MAX - 1, BODY_MAX };
	size_t k;

	random_state = (uint32_t)i * 2654435761U + 99;
	memset(pages, 0, sizeof(*pages));
	pages->process = (uint32_t)i;
	pages->start_count = pages->count_count = (pb_size_t)draw(129);
	for (k = 0; k < pages->start_count; k++) {
		pages->start[k] = (uint64_t)draw(UINT32_MAX) << 20;
		pages->count[k] = draw(UINT32_MAX);
	}
	*body_len = i % 3 ? draw(6000) : i % 2 ? draw(BODY_MAX + 1) : interesting[draw(9)];
}

static void draw_body(int i, uint8_t *body, size_t len)
{
	random_state = (uint32_t)i;
	while (len--)
		*body++ = (uint8_t)draw(256);
}

#define MANY 300

/* Bodies in the writer's own buffer and elsewhere, of all sizes. */
static int write_many(const char *name)
{
	static uint8_t foreign[BODY_MAX];
	static Pages pages;
	struct image_writer w;
	struct image_totals totals = { 0 };
	int i, err = image_create(&w, name);

	for (i = 0; !err && i < MANY; i++) {
		uint8_t *body = i % 2 ? image_body(&w) : foreign;
		size_t len;

		draw_record(i, &pages, &len);
		draw_body(i, body, len);
		image_mark(&w, RECORD_PAGES, (uint32_t)i);
		err = image_write(&w, RECORD_PAGES, MUST, Pages_fields, &pages, body, len);
	}
	if (!err)
		err = image_commit(&w, &totals);
	image_abandon(&w);
	return err;
}

static void read_many(struct image_reader *r)
{
	static uint8_t body[BODY_MAX];
	static Pages want, pages;
	struct record rec;
	size_t len;
	int i;

	for (i = 0; i < MANY; i++) {
		draw_record(i, &want, &len);
		assert_int_equal(image_next(r, &rec), 1);
		memset(&pages, 0, sizeof(pages)); /* a decoder leaves the unused ends of arrays alone */
		assert_int_equal(record_decode(&rec, Pages_fields, &pages), 0);
		assert_memory_equal(&pages, &want, sizeof(pages));
		assert_int_equal(rec.body_len, len);
		if (!rec.body)
			continue;
		draw_body(i, body, len);
		assert_memory_equal(rec.body, body, len);
	}
	assert_int_equal(image_next(r, &rec), 0);
}

static void test_many(void **state)
{
	struct image_reader r;
	struct record rec;
	uint64_t offset, before = 0;
	int i;

	(void)state;
	assert_int_equal(write_many(path), 0);
	assert_int_equal(image_open(&r, path), 0);
	read_many(&r);
	assert_int_equal(image_seek(&r, IMAGE_PREAMBLE), 0);
	r.skip_bodies = true;
	read_many(&r);
	r.skip_bodies = false;
	for (i = MANY - 1; i >= 0; i -= 7) {
		assert_int_equal(image_find(&r, RECORD_PAGES, (uint32_t)i, &offset), 1);
		assert_int_not_equal(offset, before);
		before = offset;
		assert_int_equal(image_seek(&r, offset), 0);
		assert_int_equal(image_next(&r, &rec), 1);
	}
	image_close(&r);
	assert_string_equal(logged(), "");
}

/* From standard output through a pipe to standard input. */
static void test_stream(void **state)
{
	struct image_reader r;
	struct record rec;
	uint64_t offset;
	int ends[2], status, input;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		_exit(write_many("-") ? 1 : 0);
	}
	close(ends[1]);
	input = dup(0);
	dup2(ends[0], 0);
	close(ends[0]);
	assert_int_equal(image_open(&r, "-"), 0);
	assert_null(image_totals(&r));
	r.skip_bodies = true; /* means nothing here */
	assert_int_equal(image_find(&r, RECORD_PAGES, 1, &offset), -ENODATA);
	assert_string_equal(logged(), "");
	assert_int_equal(image_seek(&r, IMAGE_PREAMBLE), -ESPIPE);
	logged();
	read_many(&r);
	assert_non_null(image_totals(&r));
	assert_int_equal(image_totals(&r)->records, MANY);
	assert_int_equal(image_next(&r, &rec), 0);
	image_close(&r);
	dup2(input, 0);
	close(input);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* Standard input may be a file, and stand behind something else. */
static void test_input_file(void **state)
{
	struct image_reader r;
	int input = dup(0), pass;

	(void)state;
	for (pass = 0; pass < 2; pass++) {
		int fd = open(path, O_RDWR | O_TRUNC);

		assert_int_equal(write_all(fd, "prefix", pass ? 6 : 0), 0);
		assert_int_equal(write_all(fd, small, small_len), 0);
		lseek(fd, pass ? 6 : 0, SEEK_SET);
		dup2(fd, 0);
		close(fd);
		assert_int_equal(image_open(&r, "-"), 0);
		assert_int_equal(r.stream, pass);
		assert_int_equal(read_through(&r), 0);
		image_close(&r);
		assert_true(fcntl(0, F_GETFD) >= 0);
	}
	dup2(input, 0);
	close(input);
}

/* A file that shrinks while it is read. */
static void test_shrinking_file(void **state)
{
	struct image_reader r;

	(void)state;
	assert_int_equal(write_many(path), 0);
	assert_int_equal(image_open(&r, path), 0);
	assert_int_equal(truncate(path, 100000), 0);
	assert_int_equal(read_through(&r), -EIMAGE);
	assert_said("ends early");
	image_close(&r);
}

static void test_full_index(void **state)
{
	struct image_writer w;
	struct image_reader r;
	struct image_totals totals = { 0 };
	uint64_t offset;
	uint32_t i;

	(void)state;
	assert_int_equal(image_create(&w, path), 0);
	for (i = 0; i < INDEX_MAX; i++) {
		image_mark(&w, 7, i);
		assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, NULL, 0), 0);
	}
	assert_int_equal(image_commit(&w, &totals), 0);
	assert_int_equal(image_open(&r, path), 0);
	assert_int_equal(image_find(&r, 7, INDEX_MAX - 1, &offset), 1);
	assert_int_equal(offset, IMAGE_PREAMBLE + (INDEX_MAX - 1) * FRAME_HEADER);
	assert_int_equal(image_find(&r, 7, INDEX_MAX, &offset), 0);
	assert_int_equal(read_through(&r), 0);
	image_close(&r);

	assert_int_equal(image_create(&w, path), 0);
	for (i = 0; i < INDEX_MAX + 5; i++)
		image_mark(&w, 7, i);
	assert_int_equal(image_commit(&w, &totals), 0);
	assert_int_equal(image_open(&r, path), 0);
	assert_int_equal(image_find(&r, 7, INDEX_MAX - 1, &offset), 1);
	assert_int_equal(image_find(&r, 7, INDEX_MAX, &offset), -ENODATA);
	assert_int_equal(read_through(&r), 0);
	image_close(&r);
	assert_string_equal(logged(), "");
}

/* Misuse is an error like any other, and sticks. */
static void test_misuse(void **state)
{
	struct image_writer w, unused = { 0 };
	struct image_totals totals = { 0 };

	(void)state;
	assert_int_equal(image_create(&w, path), 0);
	assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, small, BODY_MAX + 1), -EINVAL);
	logged();
	assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, NULL, 0), -EINVAL);
	assert_string_equal(logged(), "");
	assert_int_equal(image_commit(&w, &totals), -EINVAL);
	assert_int_equal(entries(), 1); /* the one of set_up_small */
	image_abandon(&w);
	assert_true(image_write(&w, UNKNOWN, 0, NULL, NULL, NULL, 0) < 0);
	assert_true(image_commit(&w, &totals) < 0);
	image_abandon(&unused);
	assert_true(fcntl(0, F_GETFD) >= 0);
	assert_int_equal(image_create(&w, path), 0);
	assert_int_equal(image_write(&w, RECORD_FOOTER, 0, NULL, NULL, NULL, 0), -EINVAL);
	image_abandon(&w);
	assert_int_equal(read_file(small, small_len), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_small, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_every_bit),
		TEST(test_every_length),
		TEST(test_two_in_a_row),
		TEST(test_zeroed_parts),
		TEST(test_made_by_hand),
		TEST(test_other_makers),
		TEST(test_absurd_lengths),
		TEST(test_skipping_into_the_footer),
		TEST(test_wrong_footers),
		TEST(test_wrong_trailers),
		TEST(test_shuffled_frames),
		TEST(test_hostile_messages),
		TEST(test_other_files),
		TEST(test_many),
		TEST(test_stream),
		TEST(test_input_file),
		TEST(test_shrinking_file),
		TEST(test_full_index),
		TEST(test_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
