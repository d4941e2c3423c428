/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;

	crc = ~crc;
	while (size--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return ~crc;
}

static uint64_t get(const uint8_t *p, int size)
{
	uint64_t v = 0;

	for (int i = size - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static void put(uint8_t *p, int size, uint64_t v)
{
	for (int i = 0; i < size; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static struct bytes copy(const uint8_t *from, size_t size)
{
	struct bytes b = { malloc(size + 1), size };

	if (!b.at)
		abort();
	memcpy(b.at, from, size);
	return b;
}

static bool take_apart(struct image *image, const uint8_t *data, size_t size)
{
	size_t at = PREAMBLE;

	if (size < PREAMBLE + TRAILER)
		return false;
	memset(image, 0, sizeof(*image));
	memcpy(image->preamble, data, PREAMBLE);
	while (at + HEADER <= size - TRAILER && image->frames < FRAMES) {
		struct frame *frame = &image->frame[image->frames++];
		size_t message = get(data + at + 4, 4), body = get(data + at + 8, 4);

		if (message > size || body > size || at + HEADER + message + body > size - TRAILER)
			return false;
		frame->type = (uint16_t)get(data + at, 2);
		frame->flags = (uint16_t)get(data + at + 2, 2);
		frame->offset = at;
		frame->message = copy(data + at + HEADER, message);
		frame->body = copy(data + at + HEADER + message, body);
		at += HEADER + message + body;
	}
	return at == size - TRAILER && image->frames && image->frame[image->frames - 1].type == FOOTER_TYPE;
}

bool image_read(struct image *image, const char *path)
{
	enum { MOST = 64 << 20 };
	FILE *f = fopen(path, "re");
	uint8_t *data = f ? malloc(MOST) : NULL; /* nothing static: programs with this in them also run in 32 MiB */
	bool good = data && take_apart(image, data, fread(data, 1, MOST, f));

	free(data);
	if (f)
		fclose(f);
	return good;
}

/* The footer's index holds offsets of frames: those have moved. */
static void move_index(struct bytes *index, const struct image *image, const uint64_t *moved)
{
	for (size_t at = 0; at + 16 <= index->size; at += 16)
		for (unsigned k = 0; k < image->frames; k++)
			if (image->frame[k].offset == get(index->at + at + 8, 8)) {
				put(index->at + at + 8, 8, moved[k]);
				break;
			}
}

/* Fields 1 and 2, records and bytes of bodies, and 3, the chain. */
/* Bytes of a frame's body; of a packed one the last 4 bytes of its message tell (src/image/format.h). */
static uint64_t unpacked(const struct frame *frame)
{
	bool packed = frame->flags & 2 && frame->message.size >= 4;

	return packed ? get(frame->message.at + frame->message.size - 4, 4) : frame->body.size;
}

static void set_totals(struct bytes *footer, uint64_t records, uint64_t body_bytes, uint32_t chain)
{
	struct field field;

	for (unsigned j = 0; message_field(footer, j, &field); j++)
		if (field.number == 1 || field.number == 2)
			message_set(footer, &field, field.number == 1 ? records : body_bytes);
	/* fixed32 with tag 0x1d; it stands behind the two varints */
	for (size_t at = 0; at + 5 <= footer->size;) {
		size_t skip = 1;

		if (footer->at[at] == 0x1d) {
			put(footer->at + at + 1, 4, chain);
			return;
		}
		while (at + skip < footer->size && footer->at[at + skip] & 0x80)
			skip++;
		at += skip + 1;
	}
}

static uint32_t write_frame(FILE *f, const struct frame *frame)
{
	uint8_t header[HEADER];
	uint32_t crc;

	put(header, 2, frame->type);
	put(header + 2, 2, frame->flags);
	put(header + 4, 4, frame->lies ? frame->message_len : frame->message.size);
	put(header + 8, 4, frame->lies ? frame->body_len : frame->body.size);
	put(header + 12, 4, frame->body.size ? crc32c(0, frame->body.at, frame->body.size) : 0);
	crc = crc32c(crc32c(0, header, 16), frame->message.at, frame->message.size);
	put(header + 16, 4, crc);
	fwrite(header, 1, HEADER, f);
	fwrite(frame->message.at, 1, frame->message.size, f);
	fwrite(frame->body.at, 1, frame->body.size, f);
	return crc;
}

bool image_write(const struct image *image, const char *path)
{
	static uint64_t moved[FRAMES];
	uint8_t preamble[PREAMBLE], trailer[TRAILER], word[4];
	uint64_t at = PREAMBLE, body_bytes = 0;
	uint32_t chain = 0;
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	memcpy(preamble, image->preamble, PREAMBLE);
	put(preamble + 12, 4, crc32c(0, preamble, 12));
	fwrite(preamble, 1, PREAMBLE, f);
	for (unsigned k = 0; k < image->frames; k++) {
		struct frame frame = image->frame[k];

		moved[k] = at;
		if (k + 1 == image->frames && frame.type == FOOTER_TYPE) {
			frame.body = copy(frame.body.at, frame.body.size);
			frame.message = copy(frame.message.at, frame.message.size);
			move_index(&frame.body, image, moved);
			if (!image->stale_totals)
				set_totals(&frame.message, k, body_bytes, chain);
		}
		put(word, 4, write_frame(f, &frame));
		chain = crc32c(chain, word, 4);
		body_bytes += unpacked(&frame);
		at += HEADER + frame.message.size + frame.body.size;
	}
	put(trailer, 8, image->false_trailer ? image->trailer_offset : moved[image->frames - 1]);
	put(trailer + 8, 4, crc32c(0, trailer, 8));
	memcpy(trailer + 12, "TCKE", 4);
	fwrite(trailer, 1, TRAILER, f);
	return !fclose(f);
}

static bool varint(const struct bytes *m, size_t *at, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; *at < m->size && shift < 64; shift += 7) {
		uint8_t byte = m->at[(*at)++];

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

bool message_field(const struct bytes *m, unsigned j, struct field *field)
{
	for (size_t at = 0; at < m->size;) {
		uint64_t tag, value;
		size_t start;

		if (!varint(m, &at, &tag))
			return false;
		start = at;
		switch (tag & 7) {
		case 1: at += 8; continue;
		case 5: at += 4; continue;
		case 0:
		case 2:
			if (!varint(m, &at, &value))
				return false;
			*field = (struct field){ start, at - start, (uint32_t)(tag >> 3), value, (tag & 7) == 2 };
			if (!j--)
				return true;
			if (field->length)
				at += value;
			continue;
		default: return false;
		}
	}
	return false;
}

void message_set(struct bytes *m, const struct field *field, uint64_t value)
{
	uint8_t text[10], *fresh;
	size_t n = 0;

	do {
		text[n] = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		n++;
		value >>= 7;
	} while (value);
	fresh = malloc(m->size + n);
	if (!fresh)
		abort();
	memcpy(fresh, m->at, field->at);
	memcpy(fresh + field->at, text, n);
	memcpy(fresh + field->at + n, m->at + field->at + field->size, m->size - field->at - field->size);
	m->at = fresh;
	m->size += n - field->size;
}

bool message_set_packed(struct bytes *m, uint32_t number, unsigned i, uint64_t value)
{
	struct field list, item;
	uint64_t ignored;
	size_t at, size = m->size;

	for (unsigned j = 0;; j++) {
		if (!message_field(m, j, &list))
			return false;
		if (list.length && list.number == number)
			break;
	}
	at = list.at + list.size;
	for (item = (struct field){ .at = at }; varint(m, &at, &ignored) && i; i--)
		item.at = at;
	item.size = at - item.at;
	if (at > list.at + list.size + list.value)
		return false;
	message_set(m, &item, value);
	message_set(m, &list, list.value + m->size - size);
	return true;
}
