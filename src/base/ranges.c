/* SPDX-License-Identifier: MIT */
#include "base/ranges.h"

#include <errno.h>
#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

enum { SHIFT = 12, BYTES_MAX = 1 + RANGES_WORDS_MAX * 10 };

/*
 * One byte tells which words differ, and so much each of them does, where few bits stand for little, be it less or more: the start
 * from the end of the range before, the end from the start, others from what the range before had.
 */
static uint64_t *base(uint64_t *word, size_t i)
{
	return &word[i < 2 ? !i : i];
}

int ranges_add(struct ranges *list, const void *item, size_t size)
{
	uint64_t word[RANGES_WORDS_MAX], *last = list->last.item;
	uint8_t bytes[BYTES_MAX] = { 0 };
	pb_ostream_t stream = pb_ostream_from_buffer(bytes + 1, sizeof(bytes) - 1);

	memcpy(word, item, size);
	for (size_t i = 0; i < size / sizeof(*word); i++) {
		const uint64_t differ = (word[i] - *base(last, i)) >> (i < 2 ? SHIFT : 0);

		last[i] = word[i];
		if (!differ)
			continue;
		bytes[0] |= (uint8_t)(1 << i);
		pb_encode_svarint(&stream, (int64_t)differ);
	}
	return buffer_append(&list->bytes, bytes, stream.bytes_written + 1);
}

bool ranges_next(const struct ranges *list, struct ranges_at *at, void *item, size_t size)
{
	const uint8_t *from;
	pb_istream_t stream;

	if (at->at == list->bytes.len)
		return false;
	from = list->bytes.data + at->at;
	stream = pb_istream_from_buffer(from + 1, BYTES_MAX);
	for (size_t i = 0; i < size / sizeof(*at->item); i++) {
		int64_t differ = 0;

		if (*from >> i & 1)
			pb_decode_svarint(&stream, &differ);
		at->item[i] = *base(at->item, i) + ((uint64_t)differ << (i < 2 ? SHIFT : 0));
	}
	at->at += 1 + BYTES_MAX - stream.bytes_left;
	memcpy(item, at->item, size);
	return true;
}

void ranges_clear(struct ranges *list)
{
	list->bytes.len = 0;
	list->last = (struct ranges_at){ 0 };
}
