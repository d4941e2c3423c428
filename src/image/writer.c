/* SPDX-License-Identifier: MIT */
#include "image/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pb_encode.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/scope.h"
#include "footer.pb.h"
#include "image/behind.h"
#include "image/crc32c.h"
#include "image/lz4.h"
#include "image/newest.h"
#include "image/place.h"

enum {
	FLUSH_AT = 16 * 1024, /* small records are written out when so many bytes have come together */
	SMALL = 4 * 1024,     /* up to this size a frame is copied there; a larger body goes out from where it lies */

	/* The mapping: lots of small records and body buffer each; the index. 64 KiB suit every page size. */
	BODY_AT = 64 * 1024,
	LOT = BODY_AT + BODY_MAX,
	LOTS = IS_ON_COPY_BEHIND ? WRITER_LOTS : 1,
	INDEX_AT = LOTS * LOT,
	BEHIND_FROM = 32 * BODY_MAX, /* bytes that are worth a thread: a small image is there before it is */
	PACK_AT = INDEX_AT + INDEX_MAX * INDEX_ENTRY, /* for each worker: where bodies are packed, and the memory that this takes */
	PACK = BODY_MAX + (int)sizeof(struct lz4_work),
	MAP_SIZE = PACK_AT + (IS_ON_LZ4 ? (IS_ON_COPY_BEHIND ? BEHIND_WORKERS : 1) * PACK : 0),
};

_Static_assert(FLUSH_AT + SMALL + FRAME_HEADER + MESSAGE_MAX + 4 <= BODY_AT,
	       "a largest message must fit behind what is pending");

/* Of the file, when so many bytes of the image are there. */
static uint64_t in_file(const struct image_writer *w, uint64_t size)
{
	return IS_ON_TRUST && w->seal ? seal_size(w->seal, size) : size;
}

static bool is_beyond(const struct image_writer *w)
{
	return IS_ON_BUDGET && !budget_allows(&w->budget, in_file(w, w->size));
}

static int failed(struct image_writer *w, int err)
{
	w->error = is_beyond(w) ? fail(EFBIG, "the image would have more than the %" PRIu64 " bytes that --max-size allows", w->budget.most)
				: fail_for(err, "%s: cannot be written", w->target.name);
	return w->error;
}

/* Packs the body, if that is wanted and worth it, into OWN, which may be where it lies. */
static bool pack(const struct image_writer *w, struct iovec *body, uint8_t *own, enum behind_who who)
{
	uint8_t *to = w->map + PACK_AT + who * PACK;
	const size_t packed = w->level && body->iov_len >= LZ4_FROM
				      ? lz4_pack((struct lz4_work *)(void *)(to + BODY_MAX), w->level, body->iov_base, body->iov_len, to) : 0;

	if (packed)	/* the next one is packed there before this one is written */
		*body = (struct iovec){ memcpy(own, to, packed), packed };
	return packed;
}

/* Packs and sums up what has type, flags and length of its message so far.  Returns the bytes of header and message. */
static size_t complete_frame(const struct image_writer *w, uint8_t *header, struct iovec *body, uint8_t *own, enum behind_who who)
{
	uint8_t *message = header + FRAME_HEADER;
	const uint32_t unpacked = (uint32_t)body->iov_len;
	uint32_t len = get_le32(header + 4);

	if (IS_ON_LZ4 && get_le16(header) != RECORD_FOOTER && pack(w, body, own, who)) { /* the index is read in parts */
		put_le16(header + 2, get_le16(header + 2) | RECORD_LZ4);
		put_le32(message + len, unpacked);
		len += 4;
		put_le32(header + 4, len);
	}
	put_le32(header + 8, (uint32_t)body->iov_len);
	put_le32(header + 12, crc32c(0, body->iov_base, body->iov_len));
	put_le32(header + 16, crc32c(crc32c(0, header, 16), message, len));
	return FRAME_HEADER + len;
}

static int complete_lot(void *arg, unsigned int place, enum behind_who who)
{
	struct image_writer *w = arg;
	struct image_lot *lot = &w->lots[place];
	struct iovec *frames = &lot->pieces[0];
	uint8_t *at = frames->iov_base;

	if (lot->last)
		frames->iov_len = (size_t)(lot->last - at) + complete_frame(w, lot->last, &lot->pieces[1], at + BODY_AT, who);
	return 0;
}

/* One by one, in their order, and so are their frames in the chain. */
static int write_lot(void *arg, unsigned int place, enum behind_who who)
{
	struct image_writer *w = arg;
	struct image_lot *lot = &w->lots[place];
	struct iovec *pieces = lot->pieces;
	const uint8_t *end = (uint8_t *)pieces[0].iov_base + pieces[0].iov_len, *next;

	(void)who;
	for (; w->marks_placed < lot->marks; w->marks_placed++) {
		uint8_t *offset = w->map + INDEX_AT + (size_t)w->marks_placed * INDEX_ENTRY + 8;

		put_le64(offset, w->size + get_le64(offset));
	}
	for (const uint8_t *at = lot->frames; at + FRAME_HEADER <= end; at = next) { /* not the trailer */
		w->chain = crc32c(w->chain, at + 16, 4);
		next = at + FRAME_HEADER + get_le32(at + 4);
		if (at != lot->last)
			next += get_le32(at + 8);
	}
	w->size = w->size + pieces[0].iov_len + pieces[1].iov_len;	/* nobody else changes it */
	if (is_beyond(w))
		return -EFBIG;
	return IS_ON_TRUST && w->seal ? seal_write(w->seal, pieces, 2) : target_write(&w->target, pieces, 2);
}

/* Gives it to whoever has time for it, and goes on with the next. */
static int write_behind(struct image_writer *w, bool lasts)
{
	int err = behind_give(w->behind);

	if (!err && !lasts)
		err = behind_wait(w->behind);
	w->lot = w->map + behind_place(w->behind) * (size_t)LOT;
	return err;
}

static void keep_pace(struct image_writer *w)
{
	if (IS_ON_BUDGET)
		budget_wait(&w->budget, in_file(w, w->size));
}

/* Writes out what is pending, and after it the body of the frame that is last. */
static int flush(struct image_writer *w, uint8_t *last, const void *body, size_t body_len)
{
	int err;

	keep_pace(w);
	if (IS_ON_COPY_BEHIND && !w->large && w->size >= BEHIND_FROM) {
		w->large = true;
		w->behind = behind_start(complete_lot, write_lot, w, LOTS, NULL);
	}
	w->lots[(w->lot - w->map) / LOT] = (struct image_lot){
		.pieces = { { w->lot, w->pending }, { (void *)(uintptr_t)body, body_len } },
		.frames = w->began ? w->lot : w->lot + IMAGE_PREAMBLE,
		.last = last,
		.marks = w->marks,
	};
	w->began = true;
	w->pending = 0;
	if (IS_ON_COPY_BEHIND && w->behind) {
		err = write_behind(w, !body_len || body == image_body(w));
	} else {
		complete_lot(w, 0, BEHIND_GIVER);
		err = write_lot(w, 0, BEHIND_GIVER);
	}
	return err ? failed(w, err) : 0;
}

/* All that was given is written. */
static int settle(struct image_writer *w)
{
	int err = IS_ON_COPY_BEHIND && !w->error ? behind_wait(w->behind) : 0;

	return err ? failed(w, err) : w->error;
}

static int put_bytes(struct image_writer *w, const void *bytes, size_t len)
{
	memcpy(w->lot + w->pending, bytes, len);
	w->pending += len;
	return w->pending >= FLUSH_AT ? flush(w, NULL, NULL, 0) : 0;
}

static int begin_seal(struct image_writer *w)
{
	const bool file = w->target.directory >= 0;
	int err = seal_begin(w->seal, &w->target, file ? w->target.name : "");

	return err ? failed(w, err) : 0;
}

/*
 * No save is to end a workload for an image that no restore takes: a folder may be open to all, and a file system without owners
 * (FAT) may give its files to anybody.
 */
static int check_place(const struct image_writer *w)
{
	CONTEXT("%s", w->target.name);
	struct stat st;

	if ((IS_ON_TRUST && w->seal) || w->target.directory < 0)
		return 0;
	if (IS_ON_TRUST && !fstat(w->target.fd, &st) && st.st_mode & 077)
		log_warning("its file system gives it the mode %03o: others may read the memory that is saved, unless there is a key",
			    st.st_mode & 07777u);
	return place_check(w->target.fd) ? -EPERM : 0;
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
	if (!err)
		err = check_place(w);
	map = err ? MAP_FAILED : mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		err = err ? err : fail_errno("buffers of the image");
		target_drop(&w->target);
		image_drop(w);
		return err;
	}
	w->map = w->lot = map;
	err = IS_ON_TRUST && w->seal ? begin_seal(w) : 0;
	if (err) {
		image_drop(w);
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
	put_le64(entry + 8, w->pending);	/* in the lot, until that is written */
	w->marks++;
}

static int put_frame(struct image_writer *w, uint16_t type, uint16_t flags, const pb_msgdesc_t *fields, const void *message,
		     const void *body, size_t body_len)
{
	uint8_t *header = w->lot + w->pending;
	pb_ostream_t out = pb_ostream_from_buffer(header + FRAME_HEADER, MESSAGE_MAX);
	struct iovec small = { (void *)(uintptr_t)body, body_len };

	if (fields && !pb_encode(&out, fields, message))
		return w->error = fail(EMSGSIZE, "record type %u: cannot be encoded", type);
	put_le16(header, type);
	put_le16(header + 2, flags);
	put_le32(header + 4, (uint32_t)out.bytes_written);
	if (body_len > SMALL) {
		w->pending += FRAME_HEADER + out.bytes_written;
		return flush(w, header, body, body_len);
	}
	w->pending += complete_frame(w, header, &small, image_body(w), BEHIND_GIVER);
	if (small.iov_len)
		memcpy(w->lot + w->pending, small.iov_base, small.iov_len);
	w->pending += small.iov_len;
	return w->pending >= FLUSH_AT ? flush(w, NULL, NULL, 0) : 0;
}

int image_write(struct image_writer *w, uint16_t type, uint16_t flags, const pb_msgdesc_t *fields, const void *message,
		const void *body, size_t body_len)
{
	int err;

	if (w->error)
		return w->error;
	if (body_len > BODY_MAX || (flags & ~RECORD_FLAGS_KNOWN) || type == RECORD_FOOTER)
		return w->error = fail(EINVAL, "record type %u, flags %#x: a body of %zu bytes", type, flags, body_len);
	err = put_frame(w, type, flags, fields, message, body, body_len);
	if (err)
		return err;
	w->records++;
	w->body_bytes += body_len;
	return 0;
}

int image_sync(struct image_writer *w)
{
	int err = w->error;

	if (!err)
		err = flush(w, NULL, NULL, 0);
	if (!err)
		err = settle(w);
	if (err)
		return err;
	keep_pace(w);
	err = target_sync(&w->target);
	return err ? failed(w, err) : 0;
}

static int put_footer(struct image_writer *w, const struct image_totals *totals)
{
	Footer footer = {
		.records = w->records,
		.body_bytes = w->body_bytes,
		.index_incomplete = w->marks_lost,
		.processes = totals->processes,
		.threads = totals->threads,
		.files = totals->files,
		.pages_stored = totals->pages_stored,
		.pages_zero = totals->pages_zero,
		.flags = totals->flags,
	};
	uint8_t trailer[IMAGE_TRAILER];
	int err = flush(w, NULL, NULL, 0);

	if (!err)
		err = settle(w);
	if (err)
		return err;
	footer.chain = w->chain;
	put_le64(trailer, w->size);
	put_le32(trailer + 8, crc32c(0, trailer, 8));
	memcpy(trailer + 12, IMAGE_END_MAGIC, 4);
	err = put_frame(w, RECORD_FOOTER, RECORD_MUST_UNDERSTAND, Footer_fields, &footer, w->map + INDEX_AT,
			(size_t)w->marks * INDEX_ENTRY);
	if (!err)
		err = put_bytes(w, trailer, sizeof(trailer));
	if (!err)
		err = flush(w, NULL, NULL, 0);
	if (!err)
		err = settle(w);
	if (!err)
		keep_pace(w);
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
	return err ? err : take_name(w);
}

void image_drop(struct image_writer *w)
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
