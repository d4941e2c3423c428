/* SPDX-License-Identifier: MIT */
#include "image/crc32c.h"

#include "image/format.h"

/* The polynomial 0x1edc6f41, bits reversed: the lowest bit is the highest power. */
#define POLYNOMIAL 0x82f63b78U

/*
 * Eight bytes at a time: table[k][b] is the checksum of byte b followed by k zero bytes. Made at the first use
 * rather than stored: that saves 8 KiB of flash, and the memory too where the machine has instructions of its own.
 */
static uint32_t table[8][256];

static void make_table(void)
{
	uint32_t byte, bit, k;

	for (byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
		table[0][byte] = crc;
	}
	for (k = 1; k < 8; k++)
		for (byte = 0; byte < 256; byte++)
			table[k][byte] = table[k - 1][byte] >> 8 ^ table[0][table[k - 1][byte] & 0xff];
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (!table[0][1])
		make_table();
	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		uint32_t a = crc ^ get_le32(p);
		uint32_t b = get_le32(p + 4);

		crc = table[7][a & 0xff] ^ table[6][a >> 8 & 0xff] ^ table[5][a >> 16 & 0xff] ^ table[4][a >> 24] ^
		      table[3][b & 0xff] ^ table[2][b >> 8 & 0xff] ^ table[1][b >> 16 & 0xff] ^ table[0][b >> 24];
	}
	while (len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	static crc32c_function *best;

	if (!best) {
		best = arch_crc32c();
		if (!best)
			best = crc32c_portable;
	}
	return best(crc, data, len);
}
