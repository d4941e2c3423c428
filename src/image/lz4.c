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
	PATIENCE = 4,	/* bodies in vain, until one sample has to do */
};

/* At most nine tenths of len. */
static int pack(struct lz4_work *work, int level, const uint8_t *from, size_t len, void *to)
{
	return LZ4_compress_fast_extState(work->memory, (const char *)from, to, (int)len, (int)(len - len / 10), 10 - level);
}

/* Does it look as if it could become smaller? */
static bool promises(struct lz4_work *work, int level, const uint8_t *from, size_t len, void *to)
{
	const size_t samples = work->vain < PATIENCE ? SAMPLES : 1;

	for (size_t i = 0; i < samples; i++)
		if (pack(work, level, from + (len - SAMPLE) / SAMPLES * ((i + work->vain) % SAMPLES), SAMPLE, to) > 0)
			return true;
	return false;
}

size_t lz4_pack(struct lz4_work *work, int level, const void *from, size_t len, void *to)
{
	int packed = 0;

	if (len < 2 * SAMPLES * SAMPLE || promises(work, level, from, len, to))
		packed = pack(work, level, from, len, to);
	work->vain = packed > 0 ? 0 : work->vain + 1;
	return packed > 0 ? (size_t)packed : 0;
}

bool lz4_unpack(const void *from, size_t from_len, void *to, size_t len)
{
	return LZ4_decompress_safe(from, to, (int)from_len, (int)len) == (int)len;
}
