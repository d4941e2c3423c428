/* SPDX-License-Identifier: MIT */
/*
 * Fuzzer of the image reader (libFuzzer, or AFL++'s driver for it): reads the input as a file, bodies checked at once
 * and later, and as a stream, and decodes the records it knows; then verifies it record by record, as all that restores does.
 *
 * Checksums would keep the fuzzer outside, so here they are all 0: this file is linked in the place of
 * arch/ARCH/crc32c.c. The mutator starts from a whole image and mends what would otherwise hide the rest: magic,
 * trailer, footer's place.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "footer.pb.h"
#include "header.pb.h"
#include "image/crc32c.h"
#include "image/reader.h"
#include "pages.pb.h"
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static uint32_t always_zero(uint32_t crc, const void *data, size_t len)
{
	(void)crc;
	(void)data;
	(void)len;
	return 0;
}

crc32c_function *arch_crc32c(void)
{
	return always_zero;
}

/* So that the sanitizers see every byte that is handed out. */
static volatile uint8_t sink;

static void touch(const uint8_t *bytes, size_t len)
{
	while (len--)
		sink ^= *bytes++;
}

static int decode(const struct record *rec)
{
	static Header header;
	static Pages pages;

	touch(rec->message, rec->message_len);
	if (rec->body)
		touch(rec->body, rec->body_len);
	if (rec->type == RECORD_HEADER) {
		if (record_decode(rec, Header_fields, &header))
			return -1;
		if (strlen(header.kernel_release) >= sizeof(header.kernel_release))
			abort();
		return 0;
	}
	if (rec->type == RECORD_PAGES) {
		if (record_decode(rec, Pages_fields, &pages))
			return -1;
		if (pages.start_count > sizeof(pages.start) / sizeof(*pages.start) ||
		    pages.count_count > sizeof(pages.count) / sizeof(*pages.count))
			abort();
		return 0;
	}
	return record_unknown(rec);
}

/* The body of a record that was passed over, as it is read when its time has come. */
static int read_skipped(const struct image_reader *r, struct record *rec)
{
	uint8_t *work = malloc(READER_WORK);	/* so that the sanitizers see its ends */
	int err = work ? image_read_body(r, rec, work) : 0;

	if (work && !err)
		touch(rec->body, rec->body_len);
	free(work);
	return err;
}

/* Reads to the end. What was read whole must be the same when the bodies are skipped. */
static int read_through(struct image_reader *r)
{
	struct record rec;
	int ret;

	while ((ret = image_next(r, &rec)) == 1) {
		if (rec.message_len > MESSAGE_MAX || rec.body_len > BODY_MAX || !rec.message ||
		    image_offset(r) != rec.offset + FRAME_HEADER + rec.stored)
			abort();
		ret = decode(&rec);
		if (!ret && r->skip_bodies)
			ret = read_skipped(r, &rec);
		if (ret)
			break;
	}
	if (ret == 0 && (!image_totals(r) || image_next(r, &rec) != 0))
		abort();
	return ret;
}

static void read_file(int fd)
{
	struct image_reader r;
	uint64_t offset;
	uint32_t key;
	int whole;

	if (image_open_fd(&r, fd))
		return;
	whole = read_through(&r);
	if (image_seek(&r, IMAGE_PREAMBLE))
		abort();
	r.skip_bodies = true;
	if (read_through(&r) != whole && whole == 0)
		abort();
	r.skip_bodies = false;
	for (key = 0; key < 3; key++)
		if (image_find(&r, RECORD_PAGES, key, &offset) == 1 && image_seek(&r, offset) == 0)
			(void)read_through(&r);
	image_close(&r);
}

static void verify_file(int fd)
{
	struct verify v = { .here = false };
	struct image_reader r;

	if (lseek(fd, 0, SEEK_SET) || image_open_fd(&r, fd))
		return;
	(void)verify_image(&v, &r);
	image_close(&r);
}

static void read_stream(const uint8_t *data, size_t size)
{
	struct image_reader r;
	int ends[2];

	/* What a pipe holds without a reader. */
	if (size > 64 * 1024 || pipe(ends))
		return;
	if (write_all(ends[1], data, size))
		abort();
	close(ends[1]);
	if (image_open_fd(&r, ends[0]) == 0)
		(void)read_through(&r);
	image_close(&r);
	close(ends[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	log_init(NULL, LOG_QUIET, 2);
	if (fd < 0 || write_all(fd, data, size))
		abort();
	read_file(fd);
	verify_file(fd);
	close(fd);
	read_stream(data, size);
	return 0;
}

static size_t put_frame(uint8_t *at, uint16_t type, uint16_t flags, const void *message, uint32_t message_len,
			uint32_t body_len)
{
	memset(at, 0, FRAME_HEADER + message_len + body_len);
	put_le16(at, type);
	put_le16(at + 2, flags);
	put_le32(at + 4, message_len);
	put_le32(at + 8, body_len);
	memcpy(at + FRAME_HEADER, message, message_len);
	return FRAME_HEADER + message_len + body_len;
}

/* Header, pages, an unknown record, and the footer with one index entry. Below 256 bytes. */
static size_t put_image(uint8_t *image)
{
	static const uint8_t header[] = { 0x08, 0x80, 0x20, 0x1a, 0x03, '6', '.', '1' };
	static const uint8_t pages[] = { 0x08, 1, 0x12, 2, 0x80, 0x08, 0x1a, 1, 1, 0x20, 4 };
	static const uint8_t footer[] = { 0x08, 3, 0x10, 16 };
	uint64_t pages_at, footer_at;
	size_t len = IMAGE_PREAMBLE;

	memset(image, 0, IMAGE_PREAMBLE);
	len += put_frame(image + len, RECORD_HEADER, RECORD_MUST_UNDERSTAND, header, sizeof(header), 0);
	pages_at = len;
	len += put_frame(image + len, RECORD_PAGES, RECORD_MUST_UNDERSTAND, pages, sizeof(pages), 16);
	len += put_frame(image + len, 9, 0, "", 0, 0);
	footer_at = len;
	len += put_frame(image + len, RECORD_FOOTER, RECORD_MUST_UNDERSTAND, footer, sizeof(footer), INDEX_ENTRY);
	put_le32(image + len - 16, RECORD_PAGES);
	put_le32(image + len - 12, 1);
	put_le64(image + len - 8, pages_at);
	memset(image + len, 0, IMAGE_TRAILER);
	put_le64(image + len, footer_at);
	return len + IMAGE_TRAILER;
}

/* Magic and trailer; the footer's place as the frames have it, when they lead to one. */
static void mend(uint8_t *image, size_t size)
{
	size_t at = IMAGE_PREAMBLE, end = size - IMAGE_TRAILER;

	memset(image, 0, IMAGE_PREAMBLE);
	memcpy(image, IMAGE_MAGIC, 8);
	put_le16(image + 8, IMAGE_VERSION);
	put_le16(image + 10, image_own_machine());
	memset(image + end, 0, IMAGE_TRAILER);
	memcpy(image + end + 12, IMAGE_END_MAGIC, 4);
	while (at + FRAME_HEADER <= end) {
		uint64_t frame = FRAME_HEADER + (uint64_t)get_le32(image + at + 4) + get_le32(image + at + 8);

		memset(image + at + 12, 0, 8);
		if (get_le16(image + at) == RECORD_FOOTER || frame > end - at)
			break;
		at += (size_t)frame;
	}
	put_le64(image + end, at);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	if (max_size < 512)
		return LLVMFuzzerMutate(data, size, max_size);
	if (size < IMAGE_PREAMBLE + FRAME_HEADER + IMAGE_TRAILER || seed % 64 == 0)
		size = put_image(data);
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8 && size >= IMAGE_PREAMBLE + IMAGE_TRAILER)
		mend(data, size);
	return size;
}
