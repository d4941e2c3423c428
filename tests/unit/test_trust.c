/* SPDX-License-Identifier: MIT */
/* Encrypted images: chunks, their order and end; keys; which image is the newest. */
#include "image_fixture.h"

#include <inttypes.h>

#include "image/key.h"
#include "image/newest.h"
#include "image/seal.h"

static char key[80], other_key[80];

static int set_up_key(void **state)
{
	uint8_t bytes[KEY_BYTES];
	int fd;

	if (set_up(state))
		return -1;
	snprintf(key, sizeof(key), "%s/key", directory);
	snprintf(other_key, sizeof(other_key), "%s/other", directory);
	for (int i = 0; i < 2; i++) {
		fd = open(i ? other_key : key, O_WRONLY | O_CREAT | O_EXCL, 0600);
		assert_int_equal(key_random(bytes, sizeof(bytes)), 0);
		assert_int_equal(write_all(fd, bytes, sizeof(bytes)), 0);
		close(fd);
	}
	return 0;
}

enum { ROOM = 4 * SEAL_CHUNK, CHUNK = SEAL_CHUNK + SEAL_MORE, PREAMBLE = SEAL_FIXED + 4 };

static uint8_t plain[ROOM], sealed[ROOM + 4096], changed[ROOM + 4096];

/* Seals so many bytes, in pieces of that size.  Returns how many they have become. */
static size_t seal(size_t len, size_t piece)
{
	struct image_target target = { .fd = memfd_create("sealed", MFD_CLOEXEC), .directory = -1, .replaced = -1 };
	struct seal *s;
	size_t got;

	for (size_t i = 0; i < len; i++)
		plain[i] = (uint8_t)(i * 7 + (i >> 8));
	assert_int_equal(seal_new(&s, key), 0);
	assert_int_equal(seal_begin(s, &target, ""), 0);
	for (size_t at = 0; at < len; at += piece) {
		struct iovec pieces[] = { { plain + at, piece < len - at ? piece : len - at }, { plain, 0 } };

		assert_int_equal(seal_write(s, pieces, 2), 0);
	}
	assert_int_equal(seal_end(s), 0);
	seal_free(s);
	assert_int_equal(pread_upto(target.fd, sealed, sizeof(sealed), 0, &got), 0);
	target_drop(&target);
	return got;
}

/* Unseals from a file: 0 and the bytes that they were, compared, or the error.  again: twice. */
static int unseal_by(const char *by, const uint8_t *from, size_t len, size_t *was, bool again)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC), err;
	const uint8_t *data;
	struct seal *s;
	size_t n;

	*was = 0;
	assert_int_equal(write_all(fd, from, len), 0);
	assert_int_equal(seal_new(&s, by), 0);
	err = unseal_begin(s, fd, false, from);
	while (!err) {
		err = unseal_next(s, &data, &n);
		if (err == -ENODATA && again) {
			again = false;
			*was = 0;
			err = unseal_rewind(s);
			continue;
		}
		if (!err) {
			assert_true(*was + n <= sizeof(plain));
			assert_memory_equal(data, plain + *was, n);
			*was += n;
		}
	}
	seal_free(s);
	close(fd);
	return err == -ENODATA ? 0 : err;
}

static int unseal(const uint8_t *from, size_t len)
{
	size_t was;

	return unseal_by(key, from, len, &was, false);
}

static void test_chunks(void **state)
{
	static const size_t lengths[] = { 1, 1000, SEAL_CHUNK - 1, SEAL_CHUNK, SEAL_CHUNK + 1, 2 * SEAL_CHUNK, 3 * SEAL_CHUNK + 5 };
	static const size_t pieces[] = { 100, 4096, SEAL_CHUNK, ROOM };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		for (size_t k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
			size_t was, len = seal(lengths[i], pieces[k]);

			assert_int_equal(len, PREAMBLE + lengths[i] + (lengths[i] + SEAL_CHUNK - 1) / SEAL_CHUNK * SEAL_MORE);
			assert_int_equal(unseal_by(key, sealed, len, &was, k & 1), 0);
			assert_int_equal(was, lengths[i]);
		}
	}
}

/* The same bytes are never the same twice. */
static void test_random(void **state)
{
	size_t len = seal(5000, 100);

	(void)state;
	memcpy(changed, sealed, len);
	assert_int_equal(seal(5000, 100), len);
	assert_memory_not_equal(changed + PREAMBLE, sealed + PREAMBLE, 4096);
	assert_memory_not_equal(sealed + PREAMBLE, plain, 4096);
}

static void test_cut(void **state)
{
	static const int around[] = { -18, -17, -1, 0, 1, 17, 18, 1000 };
	size_t len = seal(3 * SEAL_CHUNK + 5000, ROOM);

	(void)state;
	for (size_t chunk = 0; chunk < 4; chunk++) {
		for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++) {
			const long at = PREAMBLE + (long)(chunk * CHUNK) + around[i];

			if (at < 16)
				continue;
			assert_int_equal(unseal(sealed, (size_t)at), -EIMAGE);
			assert_said("");
		}
	}
	assert_int_equal(unseal(sealed, len - 1), -EIMAGE);
	assert_said("cut off");
	memcpy(changed, sealed, len + 1);
	assert_int_equal(unseal(changed, len + 1), -EIMAGE);	/* makes a longer last chunk, another one */
	assert_said("");
	len = seal(3 * SEAL_CHUNK, ROOM);
	assert_int_equal(unseal(sealed, len - CHUNK), -EIMAGE);
	assert_said("cut off");
	assert_int_equal(unseal(sealed, len + 1), -EIMAGE);
	assert_said("follows the end");
}

static void test_order(void **state)
{
	const size_t len = seal(3 * SEAL_CHUNK, ROOM);
	uint8_t *c = changed + PREAMBLE, *from = sealed + PREAMBLE;

	(void)state;
	for (int a = 0; a < 3; a++) {
		for (int b = 0; b < 3; b++) {
			if (a == b)
				continue;
			memcpy(changed, sealed, len);	/* b in the place of a: doubled, or with what comes next swapped */
			memcpy(c + a * CHUNK, from + b * CHUNK, CHUNK);
			assert_int_equal(unseal(changed, len), -EIMAGE);
			assert_said("not authentic");
			memcpy(c + b * CHUNK, from + a * CHUNK, CHUNK);
			assert_int_equal(unseal(changed, len), -EIMAGE);
			assert_said("not authentic");
		}
		memcpy(changed, sealed, len);	/* one left out */
		memmove(c + a * CHUNK, c + (a + 1) * CHUNK, (size_t)(2 - a) * CHUNK);
		assert_int_equal(unseal(changed, len - CHUNK), -EIMAGE);
		assert_said("");
	}
	/* from another image of the same key */
	memcpy(changed, sealed, len);
	assert_int_equal(seal(3 * SEAL_CHUNK, ROOM), len);
	memcpy(c + CHUNK, from + CHUNK, CHUNK);
	assert_int_equal(unseal(changed, len), -EIMAGE);
	assert_said("not authentic");
}

static void test_flipped(void **state)
{
	const size_t len = seal(SEAL_CHUNK + 3000, ROOM);

	(void)state;
	for (size_t i = 8; i < len; i += i < 200 || i > len - 20 ? 1 : 997) {
		memcpy(changed, sealed, len);
		changed[i] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(unseal(changed, len), -EIMAGE);
		/* which is no other key's */
		assert_said(i >= 12 && i < PREAMBLE ? "damaged in its first bytes" : "");
	}
	/* what another version has there, and names that are too long */
	memcpy(changed, sealed, len);
	put_le16(changed + 8, SEAL_VERSION + 1);
	put_le32(changed + SEAL_FIXED, crc32c(0, changed, SEAL_FIXED));
	assert_int_equal(unseal(changed, len), -EIMAGE);
	assert_said("encrypted format 2");
	memcpy(changed, sealed, len);
	put_le16(changed + 10, SEAL_NAME_MAX + 1);
	put_le32(changed + SEAL_FIXED + SEAL_NAME_MAX + 1, crc32c(0, changed, SEAL_FIXED + SEAL_NAME_MAX + 1));
	assert_int_equal(unseal(changed, len), -EIMAGE);
	assert_said("damaged in its first bytes");
	/* the preamble's checksum is no secret: what it covers is authentic all the same */
	for (size_t i = 20; i < SEAL_FIXED; i++) {
		memcpy(changed, sealed, len);
		changed[i] ^= 1;
		put_le32(changed + SEAL_FIXED, crc32c(0, changed, SEAL_FIXED));
		assert_int_equal(unseal(changed, len), -EIMAGE);
		assert_said("not authentic");
	}
}

static void test_keys(void **state)
{
	size_t was, len = seal(100, 100);
	struct key k;
	bool none;

	(void)state;
	assert_int_equal(unseal_by(other_key, sealed, len, &was, false), -EIMAGE);
	assert_said("another key");
	assert_int_equal(chmod(key, 0640), 0);
	assert_int_equal(key_read(&k, key, &none), -EPERM);
	assert_said("mode 640");
	assert_int_equal(chmod(key, 0602), 0);
	assert_int_equal(key_read(&k, key, &none), -EPERM);
	assert_said("mode 602");
	assert_int_equal(chmod(key, 0400), 0);
	assert_int_equal(key_read(&k, key, &none), 0);
	assert_int_equal(truncate(key, 33), 0);
	assert_int_equal(key_read(&k, key, &none), -EINVAL);
	assert_said("no key");
	assert_int_equal(truncate(key, 31), 0);
	assert_int_equal(key_read(&k, key, &none), -EINVAL);
	assert_said("no key");
	assert_int_equal(unlink(key), 0);
	assert_int_equal(key_read(&k, key, &none), -ENOENT);
	assert_said("No such file");
	assert_int_equal(key_read(&k, directory, &none), -EINVAL);
	assert_said("no key");
}

/* An image of the name, in the directory; returns a descriptor of it. */
static int make(struct seal **s, const char *name)
{
	struct image_target target = { .directory = -1, .replaced = -1 };
	char file[96];

	snprintf(file, sizeof(file), "%s/%s", directory, name);
	target.fd = open(file, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(target.fd >= 0);
	assert_int_equal(seal_new(s, key), 0);
	assert_int_equal(seal_begin(*s, &target, "a.tck"), 0);
	assert_int_equal(seal_write(*s, &(const struct iovec){ "xyz", 3 }, 1), 0);
	assert_int_equal(seal_end(*s), 0);
	return target.fd;
}

/* The name that an image was saved under is authentic: it tells which note is about it. */
static void test_name(void **state)
{
	struct seal *s;
	int fd = make(&s, "a.tck");
	size_t len;

	(void)state;
	seal_free(s);
	assert_int_equal(pread_upto(fd, changed, sizeof(changed), 0, &len), 0);
	assert_memory_equal(changed + SEAL_FIXED, "a.tck", 5);
	changed[SEAL_FIXED] = 'b';
	put_le32(changed + PREAMBLE + 1, crc32c(0, changed, PREAMBLE + 1));
	assert_int_equal(unseal(changed, len), -EIMAGE);
	assert_said("not authentic");
	close(fd);
}

/* Flags of the mapping that S lies in: words of smaps' last line, proc(5). */
static bool has_flag(const struct seal *s, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	char line[512];
	bool within = false, has = false;
	uintptr_t from, to;

	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			within = (uintptr_t)s >= from && (uintptr_t)s < to;
		if (within && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, flag);
	}
	fclose(smaps);
	return has;
}

/* What is secret comes into no core dump, and down to no child that is not meant. */
static void test_secret(void **state)
{
	struct seal *s;

	(void)state;
	assert_int_equal(seal_new(&s, key), 0);
	assert_true(has_flag(s, " dd"));
	assert_true(has_flag(s, " dc"));
	seal_inherited(s, true);
	assert_false(has_flag(s, " dc"));
	seal_inherited(s, false);
	assert_true(has_flag(s, " dc"));
	seal_free(s);
}

/* May it be restored? */
static int fresh(int fd)
{
	uint8_t first[16];
	struct seal *s;
	int err;

	assert_int_equal(pread_all(fd, first, sizeof(first), 0), 0);
	assert_int_equal(seal_new(&s, key), 0);
	assert_int_equal(unseal_begin(s, fd, false, first), 0);
	err = newest_check(s, fd);
	seal_free(s);
	return err;
}

/* Whenever the power is cut in a save: the image that has the name can be restored. */
static void test_newest(void **state)
{
	int folder = open(directory, O_RDONLY | O_DIRECTORY);
	struct seal *a, *b, *c;
	int first = make(&a, "a.tck"), second, third;

	(void)state;
	assert_int_equal(fresh(first), -EIMAGE);
	assert_said("no .a.tck.newest");
	assert_int_equal(newest_announce(a, folder), 0);
	assert_int_equal(fresh(first), 0);
	assert_int_equal(newest_settle(a, folder), 0);
	assert_int_equal(fresh(first), 0);

	second = make(&b, "new");
	assert_int_equal(fresh(second), -EIMAGE);
	assert_said("out of date");
	assert_int_equal(newest_announce(b, folder), 0);
	assert_int_equal(fresh(first), 0);
	assert_int_equal(fresh(second), 0);
	/* it was not renamed, and a third one comes */
	third = make(&c, "newer");
	assert_int_equal(newest_announce(c, folder), 0);
	assert_int_equal(fresh(first), 0);
	assert_int_equal(fresh(second), -EIMAGE);
	assert_said("out of date");
	assert_int_equal(fresh(third), 0);
	/* now it is, but that was all */
	assert_int_equal(renameat(folder, "newer", folder, "a.tck"), 0);
	assert_int_equal(fresh(third), 0);
	assert_int_equal(newest_announce(b, folder), 0);
	assert_int_equal(fresh(third), 0);
	assert_int_equal(fresh(first), -EIMAGE);
	assert_said("out of date");
	assert_int_equal(newest_settle(b, folder), 0);
	assert_int_equal(fresh(third), -EIMAGE);
	assert_said("out of date");
	assert_int_equal(newest_restored(b, second), 0);
	assert_int_equal(fresh(second), -EIMAGE);
	assert_said("restored already");
	/* what was restored does not become good again by the next save */
	assert_int_equal(renameat(folder, "new", folder, "a.tck"), 0);
	assert_int_equal(newest_announce(a, folder), 0);
	assert_int_equal(fresh(second), -EIMAGE);
	assert_said("out of date");
	seal_free(a);
	seal_free(b);
	seal_free(c);
	close(first);
	close(second);
	close(third);
	close(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_key, tear_down)
		TEST(test_chunks), TEST(test_random), TEST(test_cut), TEST(test_order), TEST(test_flipped), TEST(test_keys),
		TEST(test_name), TEST(test_secret), TEST(test_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
