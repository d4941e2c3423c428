/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4: "123456789" gives 0xe3069283). */
#ifndef TINYCKPT_IMAGE_CRC32C_H
#define TINYCKPT_IMAGE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t crc32c_function(uint32_t crc, const void *data, size_t len);

/*
 * The checksum of LEN more bytes, CRC being that of the bytes before (0 for none): crc32c(crc32c(0, a), b) is that
 * of a and b in a row. Takes the machine's instructions where arch_crc32c() finds some.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same in plain C, with a table of 8 KiB that is made at the first call. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

/* arch/ARCH/crc32c.c: the machine's own implementation of crc32c(), NULL if this CPU has none. Called once. */
crc32c_function *arch_crc32c(void);

#endif
