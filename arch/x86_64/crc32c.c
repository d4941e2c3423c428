/* SPDX-License-Identifier: MIT */
/*
 * CRC-32C with the crc32 instruction (SSE4.2). It takes one word each cycle but has the result after three, so
 * three neighbouring blocks are summed up at a time. A block's sum is then moved across the n bytes that follow it,
 * which is a multiplication by x^(8n) modulo the polynomial: a carry-less product with a constant (PCLMULQDQ),
 * brought back to 32 bits by the crc32 instruction itself. That one multiplies by x^32 and the product of
 * bit-reversed numbers is off by x, hence the constants are x^(8n - 33).
 */
#include "image/crc32c.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("sse4.2,pclmul")))

struct step {
	size_t block;          /* bytes of each stream, a multiple of 8 */
	uint32_t by_one, by_two; /* x^(8 * block - 33), x^(16 * block - 33) */
};

/* Three long blocks are three quarters of a page; the short ones take most of what remains. */
static const struct step steps[] = {
	{ 1024, 0x170076fa, 0xa51b6135 },
	{ 128, 0x0d3b6092, 0xb9e02b86 },
};

static inline uint64_t word(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/* The product CRC * FACTOR, not yet brought back. */
TARGET static inline uint64_t times(uint64_t crc, uint32_t factor)
{
	__m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi32_si128((int)factor), 0);

	return (uint64_t)_mm_cvtsi128_si64(product);
}

TARGET static uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t a = ~crc;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		size_t n = steps[i].block;

		for (; len >= 3 * n; len -= 3 * n, p += 2 * n) {
			const uint8_t *end = p + n;
			uint64_t b = 0, c = 0;

			for (; p < end; p += 8) {
				a = _mm_crc32_u64(a, word(p));
				b = _mm_crc32_u64(b, word(p + n));
				c = _mm_crc32_u64(c, word(p + 2 * n));
			}
			a = _mm_crc32_u64(0, times(a, steps[i].by_two) ^ times(b, steps[i].by_one)) ^ c;
		}
	}
	for (; len >= 8; len -= 8, p += 8)
		a = _mm_crc32_u64(a, word(p));
	while (len--)
		a = _mm_crc32_u8((uint32_t)a, *p++);
	return ~(uint32_t)a;
}

crc32c_function *arch_crc32c(void)
{
	unsigned int a, b, c, d;

	__cpuid(1, a, b, c, d);
	if (!(c & bit_SSE4_2) || !(c & bit_PCLMUL))
		return NULL;
	return crc32c_sse42;
}
