/* SPDX-License-Identifier: MIT */
/*
 * The image file.
 *
 *   preamble    16 bytes   magic "\x89TCK\r\n\x1a\n" (8)
 *                          version (u16), machine: e_machine of <elf.h> (u16)
 *                          CRC-32C of the 12 bytes before (u32)
 *   frames                 one record each; the last is the footer
 *   trailer     16 bytes   file offset of the footer's frame (u64), CRC-32C of these 8 bytes (u32), "TCKE"
 *
 *   frame: header 20 bytes  0 type (u16), 2 flags (u16)
 *                           4 length of the message (u32), at most MESSAGE_MAX
 *                           8 length of the body (u32), at most BODY_MAX
 *                          12 CRC-32C of the body (u32), 0 if there is none
 *                          16 CRC-32C of these 16 bytes and the message (u32)
 *          message          protocol buffer, the one that proto/ has for this type
 *                           with RECORD_LZ4 its last 4 bytes are no part of it, but the length of the body unpacked (u32)
 *          body             raw bytes, if the type has any; with RECORD_LZ4 packed, as one block of LZ4
 *
 * Numbers are little endian; nothing is aligned. The file is written front to back and never patched, so it can be a
 * pipe. The trailer is the commit mark: a file without it is not an image. The magic is PNG's trick: it breaks when a
 * transfer cuts bit 7 or converts line ends.
 *
 * Every byte is under a check. Header and message have a CRC of their own so that a reader who skips the bodies
 * (show) still reads nothing unchecked. The footer counts records and bytes and has the CRC-32C of all frames' own
 * header CRCs in a row, so that frames that are whole but lost, doubled, reordered or from another image are found
 * too.
 *
 * Types that a reader does not know are skipped, unless their frame says RECORD_MUST_UNDERSTAND. Flags that it does
 * not know are refused.
 */
#ifndef TINYCKPT_IMAGE_FORMAT_H
#define TINYCKPT_IMAGE_FORMAT_H

#include <stdint.h>

#define IMAGE_MAGIC "\x89TCK\r\n\x1a\n"
#define IMAGE_END_MAGIC "TCKE"

enum {
	IMAGE_VERSION = 2, /* 1 had bodies of 128 KiB */
	IMAGE_PREAMBLE = 16,
	IMAGE_TRAILER = 16,
	FRAME_HEADER = 20,
	MESSAGE_MAX = 16 * 1024,
	BODY_MAX = 64 * 1024,
	INDEX_ENTRY = 16, /* in the footer's body: type (u32), key (u32), offset of the frame (u64) */
	INDEX_MAX = BODY_MAX / INDEX_ENTRY,
};

/* Numbers are never reused, and 0 is none. 1..9: the container; 10..39: the process tree; from 40: kernel objects. */
enum record_type {
	RECORD_HEADER = 1, /* Header: where and when the image was made */
	RECORD_PAGES = 2,  /* Pages: runs of memory pages, their contents in the body */
	RECORD_FOOTER = 3, /* Footer: totals, and the index in the body; written by image_commit() alone */
};

enum record_flags {
	RECORD_MUST_UNDERSTAND = 1 << 0, /* a reader that does not know the type must refuse the image */
	RECORD_LZ4 = 1 << 1,             /* the body is packed */
	RECORD_FLAGS_KNOWN = RECORD_MUST_UNDERSTAND | RECORD_LZ4,
};

/* What the footer counts. The caller of image_commit() fills the first group, writer and reader the second. */
struct image_totals {
	uint32_t processes;
	uint32_t threads;
	uint32_t files;        /* open file descriptions */
	uint64_t pages_stored; /* pages whose contents are in the image */
	uint64_t pages_zero;   /* pages left out as they are all zero */
	uint64_t flags;        /* none yet: 0; a reader refuses those that it does not know */

	uint64_t records;    /* frames before the footer */
	uint64_t body_bytes; /* bytes in their bodies, unpacked */
};

static inline void put_le16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static inline void put_le32(uint8_t *to, uint32_t value)
{
	put_le16(to, (uint16_t)value);
	put_le16(to + 2, (uint16_t)(value >> 16));
}

static inline void put_le64(uint8_t *to, uint64_t value)
{
	put_le32(to, (uint32_t)value);
	put_le32(to + 4, (uint32_t)(value >> 32));
}

static inline uint16_t get_le16(const uint8_t *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *from)
{
	return get_le16(from) | (uint32_t)get_le16(from + 2) << 16;
}

static inline uint64_t get_le64(const uint8_t *from)
{
	return get_le32(from) | (uint64_t)get_le32(from + 4) << 32;
}

/* e_machine of this very program, so that no list of architectures is needed; and a name for messages. */
uint16_t image_own_machine(void);
const char *image_machine_name(uint16_t machine);

#endif
