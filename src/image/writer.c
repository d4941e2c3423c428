/* SPDX-License-Identifier: MIT */
#include "image/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pb_encode.h>
#include <string.h>
#include <sys/mman.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "footer.pb.h"
#include "image/behind.h"
#include "image/crc32c.h"
#include "image/lz4.h"
#include "image/newest.h"

enum {
	FLUSH_AT = 16 * 1024, /* small records are written out when so many bytes have come together */
	SMALL = 4 * 1024,     /* up to this size a frame is copied there; a larger body goes out from where it lies */

	/* The mapping: lots of small records and body buffer each; the index. 64 KiB suit every page size. */
	BODY_AT = 64 * 1024,
	LOT = BODY_AT + BODY_MAX,
	LOTS = IS_ON_COPY_BEHIND ? WRITER_LOTS : 1,
	INDEX_AT = LOTS * LOT,
	BEHIND_FROM = 16 * BODY_MAX, /* bytes that are worth a thread: a small image is there before it is */
	PACK_AT = INDEX_AT + INDEX_MAX * INDEX_ENTRY, /* where bodies are packed, and the memory that this takes */
	PACK_WORK_AT = PACK_AT + BODY_MAX,
	MAP_SIZE = IS_ON_LZ4 ? PACK_WORK_AT + sizeof(struct lz4_work) : PACK_AT,
};

_Static_assert(FLUSH_AT + SMALL + FRAME_HEADER + MESSAGE_MAX + 4 <= BODY_AT,
	       "a largest message must fit behind what is pending");

static int failed(struct image_writer *w, int err)
{
	w->error = fail_for(err, "%s: cannot be written", w->target.name);
	return w->error;
}

static int put_pieces(struct image_writer *w, struct iovec *pieces, int count)
{
	return IS_ON_TRUST && w->seal ? seal_write(w->seal, pieces, count) : target_write(&w->target, pieces, count);
}

static int write_lot(void *arg, unsigned int place)
{
	struct image_writer *w = arg;

	return put_pieces(w, w->lots[place], 2);
}

/* Hands one lot to the thread, which there is from some size on, and goes on with the next. */
static int write_behind(struct image_writer *w, const struct iovec pieces[2], bool lasts)
{
	struct iovec *lot = w->lots[behind_place(w->behind)];
	int err;

	lot[0] = pieces[0];
	lot[1] = pieces[1];
	err = behind_give(w->behind);
	if (!err && !lasts)
		err = behind_wait(w->behind);
	w->lot += LOT;
	if (w->lot == w->map + INDEX_AT)
		w->lot = w->map;
	return err;
}

/* Writes out what is pending, and after it the body, in one call. */
static int flush(struct image_writer *w, const void *body, size_t body_len)
{
	struct iovec pieces[] = {
		{ .iov_base = w->lot, .iov_len = w->pending },
		{ .iov_base = (void *)body, .iov_len = body_len },
	};
	const uint64_t size = IS_ON_TRUST && w->seal ? seal_size(w->seal, w->size) : w->size;
	int err = IS_ON_BUDGET ? budget_spend(&w->budget, size) : 0;

	if (err)
		return w->error = err;
	if (IS_ON_COPY_BEHIND && !w->large && w->size >= BEHIND_FROM) {
		w->large = true;
		w->behind = behind_start(write_lot, w, LOTS, NULL);
	}
	if (IS_ON_COPY_BEHIND && w->behind)
		err = write_behind(w, pieces, !body_len || body == image_body(w));
	else
		err = put_pieces(w, pieces, 2);
	w->pending = 0;
	return err ? failed(w, err) : 0;
}

static int put_bytes(struct image_writer *w, const void *bytes, size_t len)
{
	memcpy(w->lot + w->pending, bytes, len);
	w->pending += len;
	w->size += len;
	return w->pending >= FLUSH_AT ? flush(w, NULL, 0) : 0;
}

static int begin_seal(struct image_writer *w)
{
	const bool file = w->target.directory >= 0;
	int err = seal_begin(w->seal, &w->target, file ? w->target.name : "");

	return err ? failed(w, err) : 0;
}

int image_create(struct image_writer *w, const char *path, const char *key)
{
	uint8_t preamble[IMAGE_PREAMBLE];
	void *map;
	int err;

	memset(w, 0, sizeof(*w));
	err = IS_ON_TRUST ? seal_new(&w->seal, key) : 0;
	if (err)
		return err;
	err = target_open(&w->target, path);
	if (err) {
		image_abandon(w);
		return err;
	}
	map = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		err = fail_errno("buffers of the image");
		target_drop(&w->target);
		image_abandon(w);
		return err;
	}
	w->map = w->lot = map;
	err = IS_ON_TRUST && w->seal ? begin_seal(w) : 0;
	if (err) {
		image_abandon(w);
		return err;
	}
	memcpy(preamble, IMAGE_MAGIC, 8);
	put_le16(preamble + 8, IMAGE_VERSION);
	put_le16(preamble + 10, image_own_machine());
	put_le32(preamble + 12, crc32c(0, preamble, 12));
	return put_bytes(w, preamble, sizeof(preamble));
}

uint8_t *image_body(struct image_writer *w)
{
	return w->lot + BODY_AT;
}

void image_mark(struct image_writer *w, uint32_t type, uint32_t key)
{
	uint8_t *entry = w->map + INDEX_AT + (size_t)w->marks * INDEX_ENTRY;

	if (w->marks == INDEX_MAX) {
		w->marks_lost = true;
		return;
	}
	put_le32(entry, type);
	put_le32(entry + 4, key);
	put_le64(entry + 8, w->size);
	w->marks++;
}

/* Packs the body, if that is wanted and worth it: 0, or its bytes, which then lie where image_body() says. */
static size_t pack_body(struct image_writer *w, const void *body, size_t body_len)
{
	size_t packed = w->level && body_len >= LZ4_FROM
				? lz4_pack((struct lz4_work *)(void *)(w->map + PACK_WORK_AT), w->level, body, body_len, w->map + PACK_AT) : 0;

	/* not into that place at once: the body most often lies there, and what a thread writes behind has to stay */
	memcpy(image_body(w), w->map + PACK_AT, packed);
	return packed;
}

/* One frame. *HEADER_CRC gets the CRC of header and message. */
static int put_frame(struct image_writer *w, uint16_t type, uint16_t flags, const pb_msgdesc_t *fields,
		     const void *message, const void *body, size_t body_len, uint32_t *header_crc)
{
	uint8_t *header = w->lot + w->pending;
	uint8_t *encoded = header + FRAME_HEADER;
	pb_ostream_t out = pb_ostream_from_buffer(encoded, MESSAGE_MAX);
	size_t frame, packed = 0;

	if (fields && !pb_encode(&out, fields, message))
		return w->error = fail(EMSGSIZE, "record type %u: cannot be encoded", type);
	if (IS_ON_LZ4 && type != RECORD_FOOTER) /* the index is read in parts */
		packed = pack_body(w, body, body_len);
	if (packed) {
		put_le32(encoded + out.bytes_written, (uint32_t)body_len);
		out.bytes_written += 4;
		flags |= RECORD_LZ4;
		body = image_body(w);
		body_len = packed;
	}
	put_le16(header, type);
	put_le16(header + 2, flags);
	put_le32(header + 4, (uint32_t)out.bytes_written);
	put_le32(header + 8, (uint32_t)body_len);
	put_le32(header + 12, crc32c(0, body, body_len));
	*header_crc = crc32c(crc32c(0, header, 16), encoded, out.bytes_written);
	put_le32(header + 16, *header_crc);

	frame = FRAME_HEADER + out.bytes_written;
	w->pending += frame;
	w->size += frame + body_len;
	if (body_len > SMALL)
		return flush(w, body, body_len);
	if (body_len)
		memcpy(w->lot + w->pending, body, body_len);
	w->pending += body_len;
	return w->pending >= FLUSH_AT ? flush(w, NULL, 0) : 0;
}

int image_write(struct image_writer *w, uint16_t type, uint16_t flags, const pb_msgdesc_t *fields, const void *message,
		const void *body, size_t body_len)
{
	uint8_t crc[4];
	uint32_t header_crc = 0;
	int err;

	if (w->error)
		return w->error;
	if (body_len > BODY_MAX || (flags & ~RECORD_FLAGS_KNOWN) || type == RECORD_FOOTER)
		return w->error = fail(EINVAL, "record type %u, flags %#x: a body of %zu bytes", type, flags, body_len);
	err = put_frame(w, type, flags, fields, message, body, body_len, &header_crc);
	if (err)
		return err;
	put_le32(crc, header_crc);
	w->chain = crc32c(w->chain, crc, sizeof(crc));
	w->records++;
	w->body_bytes += body_len;
	return 0;
}

static int put_footer(struct image_writer *w, const struct image_totals *totals)
{
	const Footer footer = {
		.records = w->records,
		.body_bytes = w->body_bytes,
		.chain = w->chain,
		.index_incomplete = w->marks_lost,
		.processes = totals->processes,
		.threads = totals->threads,
		.files = totals->files,
		.pages_stored = totals->pages_stored,
		.pages_zero = totals->pages_zero,
		.flags = totals->flags,
	};
	uint8_t trailer[IMAGE_TRAILER];
	uint32_t header_crc = 0;
	int err;

	put_le64(trailer, w->size);
	put_le32(trailer + 8, crc32c(0, trailer, 8));
	memcpy(trailer + 12, IMAGE_END_MAGIC, 4);
	err = put_frame(w, RECORD_FOOTER, RECORD_MUST_UNDERSTAND, Footer_fields, &footer, w->map + INDEX_AT,
			(size_t)w->marks * INDEX_ENTRY, &header_crc);
	if (!err)
		err = put_bytes(w, trailer, sizeof(trailer));
	if (!err)
		err = flush(w, NULL, 0);
	if (!err && IS_ON_COPY_BEHIND) {
		err = behind_wait(w->behind);
		if (err)
			err = failed(w, err);
	}
	if (!err && IS_ON_TRUST && w->seal) {
		err = seal_end(w->seal);
		if (err)
			err = failed(w, err);
	}
	return err;
}

/* From the first note on there is no doubt about the image that is there, see image/newest.h. */
static int take_name(struct image_writer *w)
{
	const struct seal *seal = IS_ON_TRUST ? w->seal : NULL;
	CLEANUP_CLOSE int directory = -1;
	int err;

	if (!IS_ON_TRUST || !seal || w->target.directory < 0)
		return target_commit(&w->target);
	directory = fcntl(w->target.directory, F_DUPFD_CLOEXEC, 3);
	err = directory < 0 ? fail_errno("%s", w->target.name) : newest_announce(seal, directory);
	if (!err)
		err = target_commit(&w->target);
	if (!err && newest_settle(seal, directory))
		log_warning("%s: the image that it replaces could still be restored", w->target.name);
	return err;
}

int image_commit(struct image_writer *w, struct image_totals *totals)
{
	int err = w->error;

	if (!w->map)
		return fail(EINVAL, "the image is not open");
	if (!err) {
		totals->records = w->records;
		totals->body_bytes = w->body_bytes;
		err = put_footer(w, totals);
	}
	if (!err)
		err = take_name(w);
	image_abandon(w);
	return err;
}

void image_abandon(struct image_writer *w)
{
	int saved = errno;

	if (IS_ON_COPY_BEHIND)
		behind_stop(w->behind);
	if (IS_ON_TRUST)
		seal_free(w->seal);
	if (w->map) {
		target_drop(&w->target);
		munmap(w->map, MAP_SIZE);
	}
	w->behind = NULL;
	w->seal = NULL;
	w->map = NULL;
	w->error = -EBADF;
	errno = saved;
}
