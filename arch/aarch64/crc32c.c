/* SPDX-License-Identifier: MIT */
/* CRC-32C with the instructions that ARMv8.0 may have and ARMv8.1 has. */
#include "image/crc32c.h"

#include <string.h>
#include <sys/auxv.h>

/* gcc and clang have different names for these, and different ways to be told that the processor has them. */
#define CRC32C(width, crc, value) __asm__(".arch_extension crc\n\tcrc32c" width : "+r"(crc) : "r"(value))

enum { HWCAP_CRC32_ = 1 << 7 };

static uint32_t crc32c_armv8(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		CRC32C("x %w0, %w0, %1", crc, word);
	}
	while (len--)
		CRC32C("b %w0, %w0, %w1", crc, *p++);
	return ~crc;
}

crc32c_function *arch_crc32c(void)
{
	return getauxval(AT_HWCAP) & HWCAP_CRC32_ ? crc32c_armv8 : NULL;
}
