/* SPDX-License-Identifier: MIT */
/* CRC-32C with the instructions that ARMv8.0 may have and ARMv8.1 has. */
#include "image/crc32c.h"

#include <string.h>
#include <sys/auxv.h>

#define TARGET __attribute__((target("+crc")))

enum { HWCAP_CRC32_ = 1 << 7 };

static TARGET uint32_t crc32c_armv8(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		crc = __builtin_aarch64_crc32cx(crc, word);
	}
	while (len--)
		crc = __builtin_aarch64_crc32cb(crc, *p++);
	return ~crc;
}

crc32c_function *arch_crc32c(void)
{
	return getauxval(AT_HWCAP) & HWCAP_CRC32_ ? crc32c_armv8 : NULL;
}
