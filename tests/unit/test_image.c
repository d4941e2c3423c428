/* SPDX-License-Identifier: MIT */
/* The image container: round trips, damage, large images. */
#include "image_fixture.h"

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

	assert_int_equal(image_open(&r, path, NULL), 0);
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
	pages->start_count = pages->count_count = (pb_size_t)draw(17);
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
	int i, err = image_create(&w, name, NULL);

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
	image_drop(&w);
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
	static Pages want, pages;
	struct image_reader r;
	struct record rec;
	uint64_t offset;
	size_t len;
	int i;

	(void)state;
	assert_int_equal(write_many(path), 0);
	assert_int_equal(image_open(&r, path, NULL), 0);
	read_many(&r);
	assert_int_equal(image_seek(&r, IMAGE_PREAMBLE), 0);
	r.skip_bodies = true;
	read_many(&r);
	r.skip_bodies = false;
	for (i = MANY - 1; i >= 0; i -= 7) {
		assert_int_equal(image_find(&r, RECORD_PAGES, (uint32_t)i, &offset), 1);
		assert_int_equal(image_seek(&r, offset), 0);
		assert_int_equal(image_next(&r, &rec), 1);
		draw_record(i, &want, &len);
		memset(&pages, 0, sizeof(pages));
		assert_int_equal(record_decode(&rec, Pages_fields, &pages), 0);
		assert_memory_equal(&pages, &want, sizeof(pages));
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
	assert_int_equal(image_open(&r, "-", NULL), 0);
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
		assert_int_equal(image_open(&r, "-", NULL), 0);
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
	assert_int_equal(image_open(&r, path, NULL), 0);
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
	assert_int_equal(image_create(&w, path, NULL), 0);
	for (i = 0; i < INDEX_MAX; i++) {
		image_mark(&w, 7, i);
		assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, NULL, 0), 0);
	}
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	assert_int_equal(image_open(&r, path, NULL), 0);
	assert_int_equal(image_find(&r, 7, INDEX_MAX - 1, &offset), 1);
	assert_int_equal(offset, IMAGE_PREAMBLE + (INDEX_MAX - 1) * FRAME_HEADER);
	assert_int_equal(image_find(&r, 7, INDEX_MAX, &offset), 0);
	assert_int_equal(read_through(&r), 0);
	image_close(&r);

	assert_int_equal(image_create(&w, path, NULL), 0);
	for (i = 0; i < INDEX_MAX + 5; i++)
		image_mark(&w, 7, i);
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	assert_int_equal(image_open(&r, path, NULL), 0);
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
	assert_int_equal(image_create(&w, path, NULL), 0);
	assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, small, BODY_MAX + 1), -EINVAL);
	logged();
	assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, NULL, 0), -EINVAL);
	assert_string_equal(logged(), "");
	assert_int_equal(image_commit(&w, &totals), -EINVAL);
	assert_int_equal(entries(directory), 1); /* the one of set_up_small */
	image_drop(&w);
	assert_true(image_write(&w, UNKNOWN, 0, NULL, NULL, NULL, 0) < 0);
	assert_true(image_commit(&w, &totals) < 0);
	image_drop(&unused);
	assert_true(fcntl(0, F_GETFD) >= 0);
	assert_int_equal(image_create(&w, path, NULL), 0);
	assert_int_equal(image_write(&w, RECORD_FOOTER, 0, NULL, NULL, NULL, 0), -EINVAL);
	image_drop(&w);
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
		TEST(test_many),
		TEST(test_stream),
		TEST(test_input_file),
		TEST(test_shrinking_file),
		TEST(test_full_index),
		TEST(test_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
