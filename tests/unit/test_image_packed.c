/* SPDX-License-Identifier: MIT */
/* Images whose bodies are packed: what goes in comes out, what is damaged is refused. */
#include "image_fixture.h"

#include <malloc.h>

#include "image/lz4.h"

static uint8_t body[BODY_MAX];

/* Bytes that shrink by about so many parts of 16. */
static void fill(unsigned int parts, unsigned int seed)
{
	srandom(seed);
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = i / 64 % 16 < parts ? (uint8_t)(i / 1024) : (uint8_t)random();
}

static off_t write_image(int level, unsigned int parts, size_t len)
{
	struct image_writer w;
	struct image_totals totals = { 0 };
	struct stat st;

	assert_int_equal(image_create(&w, path, NULL), 0);
	w.level = level;
	for (unsigned int i = 0; i < 20; i++) {
		fill(parts, i);
		assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, body, len), 0);
	}
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void check_image(unsigned int parts, size_t len)
{
	struct image_reader r;
	struct record rec;

	for (int skip = 0; skip < 2; skip++) {
		assert_int_equal(image_open(&r, path, NULL), 0);
		r.skip_bodies = skip;
		for (unsigned int i = 0; i < 20; i++) {
			assert_int_equal(image_next(&r, &rec), 1);
			assert_int_equal(rec.body_len, len);
			assert_int_equal(rec.message_len, 0);
			fill(parts, i);
			if (!skip)
				assert_memory_equal(rec.body, body, len);
		}
		assert_int_equal(image_next(&r, &rec), 0);
		image_close(&r);
	}
}

static void test_there_and_back(void **state)
{
	static const size_t lengths[] = { 1, LZ4_FROM - 1, LZ4_FROM, 4096, 24 * 1024, 24 * 1024 + 1, BODY_MAX - 1, BODY_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		for (unsigned int parts = 0; parts <= 16; parts += 4)
			for (int level = 0; level <= 9; level += 3) {
				write_image(level, parts, lengths[i]);
				check_image(parts, lengths[i]);
			}
}

/* A large image has two that pack, ahead of the one that writes: each body arrives as its own, in its place. */
static void test_many(void **state)
{
	enum { BODIES = 1000, KINDS = 17 };
	static uint8_t kinds[KINDS][BODY_MAX];
	struct image_writer w;
	struct image_reader r;
	struct image_totals totals = { 0 };
	struct record rec;

	(void)state;
	for (unsigned int i = 0; i < KINDS; i++) {
		fill(i * 7 % KINDS, i);
		memcpy(kinds[i], body, BODY_MAX);
	}
	assert_int_equal(image_create(&w, path, NULL), 0);
	w.level = 9;
	for (unsigned int i = 0; i < BODIES; i++) {
		uint8_t *own = image_body(&w);

		memcpy(own, kinds[i % KINDS], BODY_MAX);
		assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, own, BODY_MAX), 0);
	}
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	assert_int_equal(image_open(&r, path, NULL), 0);
	for (unsigned int i = 0; i < BODIES; i++) {
		assert_int_equal(image_next(&r, &rec), 1);
		assert_int_equal(rec.body_len, BODY_MAX);
		assert_memory_equal(rec.body, kinds[i % KINDS], BODY_MAX);
	}
	assert_int_equal(image_next(&r, &rec), 0);
	image_close(&r);
}

static void test_smaller(void **state)
{
	const off_t plain = write_image(0, 12, BODY_MAX);

	(void)state;
	assert_in_range(write_image(9, 12, BODY_MAX), 1, plain / 2);
	assert_in_range(write_image(1, 12, BODY_MAX), 1, plain * 9 / 10);
	assert_int_equal(write_image(9, 0, BODY_MAX), write_image(0, 0, BODY_MAX)); /* random bytes: left as they are */
	assert_true(write_image(9, 6, BODY_MAX) < write_image(1, 6, BODY_MAX));
}

/* What saves less than a tenth is not worth the time that unpacking takes. */
static void test_not_worth_it(void **state)
{
	static struct lz4_work work;
	static uint8_t packed[BODY_MAX];

	(void)state;
	fill(0, 1);
	memset(body, 0, BODY_MAX / 16);
	assert_int_equal(lz4_pack(&work, 9, body, sizeof(body), packed), 0);
	memset(body, 0, BODY_MAX / 8);
	assert_in_range(lz4_pack(&work, 9, body, sizeof(body), packed), 1, sizeof(body) * 9 / 10);
}

/* A packed body is hostile, too: whatever is in it, nothing but its own bytes is read or written (the sanitizers look on). */
static void test_hostile(void **state)
{
	static struct lz4_work work;
	static uint8_t packed[BODY_MAX], out[BODY_MAX], longer[BODY_MAX + 1];
	size_t len;

	(void)state;
	fill(12, 1);
	len = lz4_pack(&work, 9, body, sizeof(body), packed);
	assert_in_range(len, 1, sizeof(body) / 2);
	assert_true(lz4_unpack(packed, len, out, sizeof(out)));
	assert_memory_equal(out, body, sizeof(body));
	assert_false(lz4_unpack(packed, len, out, sizeof(out) - 1));
	assert_false(lz4_unpack(packed, len, longer, sizeof(out) + 1));
	assert_false(lz4_unpack(packed, len - 1, out, sizeof(out)));
	assert_false(lz4_unpack(packed, 0, out, sizeof(out)));
	for (unsigned int i = 0; i < 2000; i++) {
		uint8_t *few = malloc(1 + (size_t)random() % 64);
		const size_t n = malloc_usable_size(few);

		for (size_t k = 0; k < n; k++)
			few[k] = (uint8_t)random();
		(void)lz4_unpack(few, n, out, (size_t)random() % sizeof(out));
		free(few);
	}
}

/* Any byte of a packed image that is changed is noticed; lengths that lie are, too. */
static void test_damaged(void **state)
{
	off_t size = write_image(9, 12, 2048);
	uint8_t *image = malloc((size_t)size), byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(pread_all(fd, image, (size_t)size, 0), 0);
	for (off_t at = 0; at < size; at++) {
		struct image_reader r;
		struct record rec;
		int err;

		byte = image[at] ^ 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		err = image_open(&r, path, NULL);
		while (!err && (err = image_next(&r, &rec)) == 1)
			err = 0;
		assert_int_equal(err, -EIMAGE);
		image_close(&r);
		assert_int_equal(pwrite(fd, image + at, 1, at), 1);
	}
	logged();
	close(fd);
	free(image);
}

/* Never are there more bytes than may be, not even for a while: it may be a partition that they go to. */
static void bound(int level, uint64_t most)
{
	struct image_writer w;
	struct image_totals totals = { 0 };
	struct stat st;
	int err = 0;

	unlink(path);
	assert_int_equal(image_create(&w, path, NULL), 0);
	w.level = level;
	w.budget.most = most;
	for (int i = 0; !err && i < 100; i++)
		err = image_write(&w, UNKNOWN, 0, NULL, NULL, memcpy(image_body(&w), body, BODY_MAX), BODY_MAX);
	assert_int_equal(err, -EFBIG);
	assert_said("--max-size");
	nanosleep(&(const struct timespec){ 0, 10000000 }, NULL);
	assert_int_equal(fstat(w.target.fd, &st), 0);
	assert_in_range(st.st_size, 1, most);
	assert_int_equal(image_commit(&w, &totals), -EFBIG);
	image_drop(&w);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_bounds(void **state)
{
	off_t size;
	struct image_writer w;
	struct image_totals totals = { 0 };

	(void)state;
	fill(12, 1);
	bound(0, 3 * BODY_MAX);
	bound(0, 3 * BODY_MAX + 1000);
	bound(0, 50 * BODY_MAX + 1000);
	bound(9, 2 * BODY_MAX);
	bound(9, 16 * BODY_MAX + 1000);
	/* exactly as many as there are */
	size = write_image(0, 0, BODY_MAX);
	for (int less = 0; less < 2; less++) {
		assert_int_equal(image_create(&w, path, NULL), 0);
		w.budget.most = (uint64_t)(size - less);
		for (int i = 0; i < 20; i++)
			assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, body, BODY_MAX), 0);
		assert_int_equal(image_commit(&w, &totals), less ? -EFBIG : 0);
		image_drop(&w);
	}
}

static void test_rate(void **state)
{
	struct timespec began, ended;
	struct image_writer w;
	struct image_totals totals = { 0 };
	double took;

	(void)state;
	assert_int_equal(image_create(&w, path, NULL), 0);
	w.budget.rate = 4 * BODY_MAX;
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(image_write(&w, UNKNOWN, 0, NULL, NULL, body, BODY_MAX), 0);
		clock_gettime(CLOCK_MONOTONIC, &ended);
		took = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
		assert_true(took >= i * 0.25);	/* but for the last one they are written */
	}
	assert_int_equal(image_commit(&w, &totals), 0);
	image_drop(&w);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	took = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
	assert_true(took >= 1.25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_smaller, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_worth_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rate, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
