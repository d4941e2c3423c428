/* SPDX-License-Identifier: MIT */
/*
 * An image taken apart into its frames and put together again with every checksum, count and offset right: so that a
 * test can lie in one place and tell the truth in all others. An own reading of src/image/format.h, with none of its code.
 */
#ifndef TESTS_INPUT_IMAGE_H
#define TESTS_INPUT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PREAMBLE = 16, HEADER = 20, TRAILER = 16, FOOTER_TYPE = 3, FRAMES = 4096 };

struct bytes {
	uint8_t *at;
	size_t size;
};

struct frame {
	uint16_t type, flags;
	struct bytes message, body;
	uint64_t offset; /* where it lay in the file that was read */
	/* What its header says instead of the truth, when `lies`. */
	bool lies;
	uint32_t message_len, body_len;
};

struct image {
	uint8_t preamble[PREAMBLE];
	struct frame frame[FRAMES];
	unsigned frames;
	bool stale_totals;	 /* leave the footer's counts and chain as they are */
	bool false_trailer;
	uint64_t trailer_offset; /* what the trailer says then */
};

/* One varint of a message: its place and value; the field's number. */
struct field {
	size_t at, size;
	uint32_t number;
	uint64_t value;
	bool length; /* the length of a string, bytes, packed or nested field */
};

uint32_t crc32c(uint32_t crc, const void *data, size_t size);
bool image_read(struct image *image, const char *path);
bool image_write(const struct image *image, const char *path);

/* The J-th varint of a message, counted through the top level and, for packed and nested ones, their lengths. */
bool message_field(const struct bytes *message, unsigned j, struct field *field);
void message_set(struct bytes *message, const struct field *field, uint64_t value);

/* The Ith value of a packed field of varints. */
bool message_set_packed(struct bytes *message, uint32_t number, unsigned i, uint64_t value);

#endif
