/* SPDX-License-Identifier: MIT */
/* Images made by hand, with good checksums throughout: every way in which a file can be wrong. */
#include "image_fixture.h"

#include "image/lz4.h"
#include "image/place.h"

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

/* Type 0 is none: it stands for none in tables, and in what is to be passed over. */
static void test_no_type(void **state)
{
	static const uint8_t body[100];
	uint64_t flipped;

	(void)state;
	begin(IMAGE_VERSION, image_own_machine());
	add_plain(0, 0);
	end(NULL, 1, NULL, 0);
	assert_refused("header is damaged");
	begin(IMAGE_VERSION, image_own_machine());
	add(0, 0, NULL, 0, body, sizeof(body), 0, 0);
	flipped = made_len - 1;
	end(&(Footer){ .records = 1, .body_bytes = sizeof(body), .chain = made_chain }, 1, NULL, 0);
	made[flipped] = 1;
	assert_refused("damaged");
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

/* Something between footer and trailer: a file is refused as it is opened. */
static void test_gap_behind_the_footer(void **state)
{
	struct image_reader r;
	int fd;

	(void)state;
	begin(IMAGE_VERSION, image_own_machine());
	end(NULL, 0, NULL, 0);
	memmove(made + made_len - IMAGE_TRAILER + 4, made + made_len - IMAGE_TRAILER, IMAGE_TRAILER);
	made_len += 4;
	fd = memfd_create("image", MFD_CLOEXEC);
	assert_int_equal(write_all(fd, made, made_len), 0);
	assert_int_equal(image_open_fd(&r, fd), -EIMAGE);
	assert_said("its end is damaged");
	close(fd);
}

/* Packed bodies whose headers lie. */
static void test_packed(void **state)
{
	static uint8_t plain[2 * BODY_MAX], packed[BODY_MAX];
	static struct lz4_work work;
	size_t len;
	uint8_t promise[4];

#define PACKED(type, n, message_len, body_len) \
	(begin(IMAGE_VERSION, image_own_machine()), put_le32(promise, n), \
	 add(type, RECORD_LZ4 | MUST, promise, message_len, packed, body_len, 0, 0))
	(void)state;
	len = lz4_pack(&work, 9, plain, BODY_MAX, packed);
	assert_in_range(len, 1, 4000);
	PACKED(UNKNOWN, BODY_MAX, 4, len);
	end(&(Footer){ .records = 1, .body_bytes = BODY_MAX, .chain = made_chain }, 1, NULL, 0);
	assert_refused("newer tinyckpt: record type 60000");	/* and nothing else is the matter */
	for (uint32_t other = BODY_MAX - 1; other <= BODY_MAX + 1; other += 2) {
		PACKED(UNKNOWN, other, 4, len);
		end(NULL, 1, NULL, 0);
		assert_refused("damaged");
	}
	len = lz4_pack(&work, 9, plain, BODY_MAX - 1000, packed);
	PACKED(UNKNOWN, BODY_MAX, 4, len);	/* less than was promised */
	end(NULL, 1, NULL, 0);
	assert_refused("its body is damaged");
	PACKED(UNKNOWN, 0, 4, len);
	end(NULL, 1, NULL, 0);
	assert_refused("header is damaged");
	PACKED(UNKNOWN, 100, 4, 0);
	end(NULL, 1, NULL, 0);
	assert_refused("header is damaged");
	for (size_t few = 0; few < 4; few++) {
		PACKED(UNKNOWN, BODY_MAX, few, len);
		end(NULL, 1, NULL, 0);
		assert_refused("damaged");
	}
	/* more than fits, which is really in it */
	len = lz4_pack(&work, 9, plain, sizeof(plain), packed);
	assert_in_range(len, 1, 4000);
	PACKED(UNKNOWN, sizeof(plain), 4, len);
	end(NULL, 1, NULL, 0);
	assert_refused("header is damaged");
}

static void test_packed_index(void **state)
{
	static uint8_t index[1024], packed[1024], message[Footer_size + 4];
	static struct lz4_work work;
	pb_ostream_t out = pb_ostream_from_buffer(message, sizeof(message));
	uint64_t offset;
	size_t len = lz4_pack(&work, 9, index, sizeof(index), packed);

	(void)state;
	begin(IMAGE_VERSION, image_own_machine());
	assert_true(pb_encode(&out, Footer_fields, &(Footer)Footer_init_zero));
	put_le32(message + out.bytes_written, sizeof(index));
	offset = made_len;
	add(RECORD_FOOTER, MUST | RECORD_LZ4, message, out.bytes_written + 4, packed, len, 0, 0);
	put_le64(made + made_len, offset);
	put_le32(made + made_len + 8, crc32c(0, made + made_len, 8));
	memcpy(made + made_len + 12, IMAGE_END_MAGIC, 4);
	made_len += IMAGE_TRAILER;
	assert_refused("the index is damaged");
}

/* Where it lies: also right below the root. */
static void test_place(void **state)
{
	int fd = open("/tmp", O_PATH), above = place_directory(fd);
	struct stat st, root;

	(void)state;
	assert_true(above >= 0);
	assert_int_equal(fstat(above, &st) | stat("/", &root), 0);
	assert_int_equal(st.st_ino, root.st_ino);
	close(fd);
	close(above);
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
	assert_int_equal(image_open(&r, path, NULL), 0);
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
	assert_int_equal(image_open(&r, directory, NULL), -EIMAGE);
	assert_said("not a regular file");
	assert_int_equal(image_open(&r, "/dev/zero", NULL), -EIMAGE);
	assert_said("not a regular file");
	snprintf(name, sizeof(name), "%s/fifo", directory);
	assert_int_equal(mkfifo(name, 0600), 0);
	alarm(10); /* it must not wait for a writer */
	assert_int_equal(image_open(&r, name, NULL), -EIMAGE);
	alarm(0);
	assert_said("not a regular file");
	snprintf(name, sizeof(name), "%s/none", directory);
	assert_int_equal(image_open(&r, name, NULL), -ENOENT);
	assert_said("/none: cannot be read: No such file");
	image_close(&r);
	assert_int_equal(image_open(&r, "/etc/passwd", NULL), -EIMAGE);
	assert_said("/etc/passwd: not a tinyckpt image");
	assert_int_equal(image_open(&r, "/proc/self/mem", NULL), -EIO);
	assert_said("cannot be read");
	snprintf(name, sizeof(name), "%s/link", directory);
	assert_int_equal(symlink("a.tck", name), 0);
	assert_int_equal(image_open(&r, name, NULL), 0);
	assert_int_equal(read_through(&r), 0);
	image_close(&r);
	snprintf(name, sizeof(name), "%s/empty", directory);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(image_open(&r, name, NULL), -EIMAGE);
	assert_said("/empty: empty: not an image");
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_small, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_made_by_hand),
		TEST(test_other_makers),
		TEST(test_no_type),
		TEST(test_absurd_lengths),
		TEST(test_skipping_into_the_footer),
		TEST(test_wrong_footers),
		TEST(test_gap_behind_the_footer),
		TEST(test_packed),
		TEST(test_packed_index),
		TEST(test_place),
		TEST(test_wrong_trailers),
		TEST(test_shuffled_frames),
		TEST(test_hostile_messages),
		TEST(test_other_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
