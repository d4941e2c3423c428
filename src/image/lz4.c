/* SPDX-License-Identifier: MIT */
#include "image/lz4.h"

#define LZ4_STATIC_LINKING_ONLY	/* LZ4_DECOMPRESS_INPLACE_MARGIN */
#include <lz4.h>
#include <stdint.h>

#include "image/format.h"

_Static_assert(LZ4_MARGIN >= LZ4_DECOMPRESS_INPLACE_MARGIN(BODY_MAX), "for the largest body");
_Static_assert(LZ4_WORK >= sizeof(LZ4_stream_t), "the library works in less");

enum {
	SAMPLE = 4096,	/* bytes: a page, of which a body has many */
	SAMPLES = 3,
};

/* At most nine tenths of len. */
static int pack(void *work, int level, const uint8_t *from, size_t len, void *to)
{
	return LZ4_compress_fast_extState(work, (const char *)from, to, (int)len, (int)(len - len / 10), 10 - level);
}

size_t lz4_pack(void *work, int level, const void *from, size_t len, void *to)
{
	const uint8_t *bytes = from;
	int packed = 0;

	if (len >= 2 * SAMPLES * SAMPLE) {
		for (size_t i = 0; !packed && i < SAMPLES; i++)
			packed = pack(work, level, bytes + (len - SAMPLE) / (SAMPLES - 1) * i, SAMPLE, to);
		if (!packed)
			return 0;
	}
	packed = pack(work, level, bytes, len, to);
	return packed > 0 ? (size_t)packed : 0;
}

bool lz4_unpack(const void *from, size_t from_len, void *to, size_t len)
{
	return LZ4_decompress_safe(from, to, (int)from_len, (int)len) == (int)len;
}
