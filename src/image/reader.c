/* SPDX-License-Identifier: MIT */
#include "image/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pb_decode.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "footer.pb.h"
#include "image/crc32c.h"
#include "image/lz4.h"
#include "image/newest.h"
#include "image/place.h"
#include "image/seal.h"

enum {
	/*
	 * Every read of the file takes up to so many bytes more than was asked for. Enough for a header and its
	 * message in the same call as the body before them, and little to copy where that turns out to be a body's
	 * beginning.
	 */
	AHEAD = 4 * 1024,

	/* The mapping: bytes read ahead, header and message, the body, packed and unpacked. 64 KiB suit every page size. */
	HEADER_AT = AHEAD,
	MESSAGE_AT = HEADER_AT + FRAME_HEADER,
	BODY_AT = 64 * 1024,
	MAP_SIZE = BODY_AT + READER_WORK,
};

_Static_assert(MESSAGE_AT + MESSAGE_MAX + 4 <= BODY_AT, "a largest message must fit in front of the body");

static int failed(struct image_reader *r, int err)
{
	r->error = err;
	return err;
}

/* Up to LEN of the bytes that were read ahead.  Returns how many. */
static size_t take_ahead(struct image_reader *r, void *to, size_t len)
{
	const size_t n = len < r->ahead ? len : r->ahead;

	if (n)
		memcpy(to, r->ahead_at, n);
	r->ahead_at += n;
	r->ahead -= n;
	r->offset += n;
	return n;
}

/*
 * Exactly LEN bytes from where the reader stands: 0, -ENODATA at the end of the file, -errno; unsaid, but for what concerns
 * encryption (-EIMAGE).
 */
static int take(struct image_reader *r, void *to, size_t len)
{
	size_t n = take_ahead(r, to, len);
	uint8_t *at = (uint8_t *)to + n;

	len -= n;
	while (IS_ON_TRUST && r->seal && len) {
		int err = unseal_next(r->seal, &r->ahead_at, &r->ahead);

		if (err)
			return err;
		n = take_ahead(r, at, len);
		at += n;
		len -= n;
	}
	while (len) {
		struct iovec pieces[] = {
			{ .iov_base = at, .iov_len = len },
			{ .iov_base = r->map, .iov_len = AHEAD },
		};
		ssize_t got = r->stream ? readv(r->fd, pieces, 2) : preadv(r->fd, pieces, 2, (off_t)r->offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -ENODATA;
		n = (size_t)got < len ? (size_t)got : len;
		r->ahead_at = r->map;
		r->ahead = (size_t)got - n;
		r->offset += n;
		at += n;
		len -= n;
	}
	return 0;
}

/* Passes over LEN bytes of a file. */
static void skip(struct image_reader *r, size_t len)
{
	size_t n = len < r->ahead ? len : r->ahead;

	r->ahead_at += n;
	r->ahead -= n;
	r->offset += len;
}

static int read_failed(struct image_reader *r, int err)
{
	if (IS_ON_TRUST && r->seal && err != -ENODATA)
		return failed(r, err);
	if (err == -ENODATA)
		return failed(r, fail(EIMAGE, "ends early, at byte %" PRIu64 ": not a whole image", r->offset));
	return failed(r, fail(err, "cannot be read at byte %" PRIu64 ": %s", r->offset, strerror(-err)));
}

/* Where in work the body is to be read to: one that is packed to the end, so that it can be unpacked in place. */
static uint8_t *stored_at(const struct record *rec, uint8_t *work)
{
	return IS_ON_LZ4 && rec->flags & RECORD_LZ4 ? work + READER_WORK - rec->body_stored : work;
}

/* It was read: checks it, and unpacks it.  False: it is damaged. */
static bool open_body(struct record *rec, uint8_t *work)
{
	const uint8_t *stored = stored_at(rec, work);

	rec->body = work;
	return crc32c(0, stored, rec->body_stored) == rec->body_crc &&
	       (stored == work || lz4_unpack(stored, rec->body_stored, work, rec->body_len));
}

int image_read_body(const struct image_reader *r, struct record *rec, uint8_t *work)
{
	int err = pread_all(r->fd, stored_at(rec, work), rec->body_stored, rec->body_offset);

	if (err)
		return err == -ENODATA ? -EIMAGE : err;
	return open_body(rec, work) ? 0 : -EIMAGE;
}

static bool is_skipped(const struct image_reader *r, const struct record *rec)
{
	return !r->stream && rec->type != RECORD_FOOTER && (r->skip_bodies || (IS_ON_COPY_BEHIND && rec->type == r->skip_type));
}

static int take_body(struct image_reader *r, struct record *rec)
{
	uint8_t *body = r->map + BODY_AT;
	int err;

	rec->body_offset = r->offset;
	if (is_skipped(r, rec)) {
		skip(r, rec->body_stored);
		return 0;
	}
	err = take(r, stored_at(rec, body), rec->body_stored);
	if (err)
		return read_failed(r, err);
	if (!open_body(rec, body))
		return failed(r, fail(EIMAGE, "record type %u at byte %" PRIu64 ": its body is damaged", rec->type,
				      rec->offset));
	if (!rec->body_len)
		rec->body = NULL;
	return 0;
}

/* The frame where the reader stands, checked. *HEADER_CRC gets the CRC of header and message. */
static int take_frame(struct image_reader *r, struct record *rec, uint32_t *header_crc)
{
	uint8_t *header = r->map + HEADER_AT;
	uint8_t *message = r->map + MESSAGE_AT;
	uint32_t body_len;
	int err;

	*rec = (struct record){ .offset = r->offset, .message = message };
	err = take(r, header, FRAME_HEADER);
	if (err)
		return read_failed(r, err);
	rec->type = get_le16(header);
	rec->flags = get_le16(header + 2);
	rec->message_len = get_le32(header + 4);
	rec->body_len = body_len = get_le32(header + 8);
	*header_crc = get_le32(header + 16);
	if (!rec->type || rec->message_len > MESSAGE_MAX + (rec->flags & RECORD_LZ4 ? 4u : 0u) || body_len > BODY_MAX)
		return failed(r, fail(EIMAGE, "record at byte %" PRIu64 ": its header is damaged", rec->offset));
	rec->stored = rec->message_len + body_len;
	if (!r->stream && r->offset + rec->stored > r->size - IMAGE_TRAILER)
		return failed(r, fail(EIMAGE, "record at byte %" PRIu64 ": does not fit into the file", rec->offset));
	err = take(r, message, rec->message_len);
	if (err)
		return read_failed(r, err);
	if (crc32c(crc32c(0, header, 16), message, rec->message_len) != *header_crc)
		return failed(r, fail(EIMAGE, "record type %u at byte %" PRIu64 ": is damaged", rec->type,
				      rec->offset));
	if (rec->flags & ~RECORD_FLAGS_KNOWN)
		return failed(r, fail(EIMAGE, "made by a newer tinyckpt: record type %u with flags %#x", rec->type,
				      rec->flags));
	if (rec->flags & RECORD_LZ4) {
		if (!IS_ON_LZ4)
			return failed(r, fail(EIMAGE, "it is packed: this tinyckpt was built without CONFIG_LZ4"));
		if (rec->message_len >= 4) {
			rec->message_len -= 4;
			rec->body_len = get_le32(message + rec->message_len);
		}
		if (!body_len || !rec->body_len || rec->body_len > BODY_MAX)
			return failed(r, fail(EIMAGE, "record at byte %" PRIu64 ": its header is damaged", rec->offset));
	}
	rec->body_stored = body_len;
	rec->body_crc = get_le32(header + 12);
	return take_body(r, rec);
}

static int check_preamble(struct image_reader *r)
{
	uint8_t preamble[IMAGE_PREAMBLE];
	uint16_t machine;
	int err = take(r, preamble, sizeof(preamble));

	if (err == -ENODATA)
		return fail(EIMAGE, r->offset ? "too short: not an image" : "empty: not an image");
	if (err)
		return read_failed(r, err);
	if (!IS_ON_TRUST && !memcmp(preamble, SEAL_MAGIC, 8))
		return fail(EIMAGE, "it is encrypted: this tinyckpt was built without CONFIG_TRUST");
	if (memcmp(preamble, IMAGE_MAGIC, 8) != 0)
		return fail(EIMAGE, "not a tinyckpt image");
	if (crc32c(0, preamble, 12) != get_le32(preamble + 12))
		return fail(EIMAGE, "damaged in its first bytes");
	if (get_le16(preamble + 8) != IMAGE_VERSION)
		return fail(EIMAGE, "image format %u; this tinyckpt reads format %u", get_le16(preamble + 8),
			    IMAGE_VERSION);
	machine = get_le16(preamble + 10);
	if (machine != image_own_machine())
		return fail(EIMAGE, "made on %s (machine %u); this is %s", image_machine_name(machine), machine,
			    image_machine_name(image_own_machine()));
	return 0;
}

/* The frame at hand is the footer: takes the totals from it. FOOTER also gives what is to be compared. */
static int take_footer(struct image_reader *r, const struct record *rec, Footer *footer)
{
	int err = record_decode(rec, Footer_fields, footer);

	if (err)
		return failed(r, err);
	if (rec->flags & RECORD_LZ4)
		return failed(r, fail(EIMAGE, "the index is damaged"));
	if (footer->flags)
		return failed(r, fail(EIMAGE, "made by a newer tinyckpt: flags %#" PRIx64, footer->flags));
	if (rec->body_len % INDEX_ENTRY)
		return failed(r, fail(EIMAGE, "the index is damaged"));
	r->index_len = rec->body_len;
	r->index_offset = rec->offset + FRAME_HEADER + rec->message_len;
	r->index_complete = !footer->index_incomplete;
	r->totals = (struct image_totals){
		.processes = footer->processes,
		.threads = footer->threads,
		.files = footer->files,
		.pages_stored = footer->pages_stored,
		.pages_zero = footer->pages_zero,
		.flags = footer->flags,
		.records = footer->records,
		.body_bytes = footer->body_bytes,
	};
	return 0;
}

static bool trailer_is_good(const uint8_t *trailer)
{
	return memcmp(trailer + 12, IMAGE_END_MAGIC, 4) == 0 && crc32c(0, trailer, 8) == get_le32(trailer + 8);
}

/* A file: from the trailer to the footer, before anything else is read. */
static int check_end(struct image_reader *r)
{
	uint8_t trailer[IMAGE_TRAILER];
	struct record rec;
	uint32_t crc;
	Footer footer;
	int err;

	if (r->size < IMAGE_PREAMBLE + FRAME_HEADER + IMAGE_TRAILER)
		return fail(EIMAGE, "too short: not a whole image");
	err = pread_all(r->fd, trailer, sizeof(trailer), r->size - IMAGE_TRAILER);
	if (err)
		return read_failed(r, err);
	if (!trailer_is_good(trailer))
		return fail(EIMAGE, "its end is missing or damaged: not a whole image");
	r->footer_offset = get_le64(trailer);
	if (r->footer_offset < IMAGE_PREAMBLE || r->footer_offset > r->size - IMAGE_TRAILER - FRAME_HEADER)
		return fail(EIMAGE, "its end is damaged");
	r->ahead = 0;
	r->offset = r->footer_offset;
	err = take_frame(r, &rec, &crc);
	if (err)
		return err;
	if (rec.type != RECORD_FOOTER || r->offset != r->size - IMAGE_TRAILER)
		return fail(EIMAGE, "its end is damaged");
	err = take_footer(r, &rec, &footer);
	if (err)
		return err;
	r->have_totals = true;
	return image_seek(r, IMAGE_PREAMBLE);
}

/* Is it encrypted?  Its first bytes tell; they are kept as read ahead if not.  0 or a negative error, said. */
static int look_for_seal(struct image_reader *r, const char *key)
{
	size_t len;
	int err = r->stream ? read_upto(r->fd, r->map, IMAGE_PREAMBLE, &len) : pread_upto(r->fd, r->map, IMAGE_PREAMBLE, 0, &len);
	const bool sealed = !err && len == IMAGE_PREAMBLE && !memcmp(r->map, SEAL_MAGIC, 8);

	if (err)
		return read_failed(r, err);
	err = seal_new(&r->seal, key);
	if (err)
		return err;
	if (sealed && !r->seal)
		return fail(EIMAGE, "it is encrypted, and there is no key%s%s", key ? " at " : "", key ? key : "");
	if (!sealed && r->seal && len == IMAGE_PREAMBLE && !memcmp(r->map, IMAGE_MAGIC, 8))
		return fail(EIMAGE, "not trusted: it is not encrypted, and there is a key, %s", key);
	if (sealed) {
		err = unseal_begin(r->seal, r->fd, r->stream, r->map);
		r->stream = true;
	} else {
		seal_free(r->seal);
		r->seal = NULL;
		r->ahead_at = r->map;
		r->ahead = len;
	}
	return err;
}

static int attach(struct image_reader *r, bool stream, const char *key)
{
	struct stat st;
	void *map;
	int err;

	if (fstat(r->fd, &st) < 0)
		return fail_errno("cannot be read");
	r->stream = stream || !S_ISREG(st.st_mode);
	r->rewinds = !r->stream;
	r->footer_offset = UINT64_MAX;
	map = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return fail_errno("buffers of the image");
	r->map = map;
	err = IS_ON_TRUST ? look_for_seal(r, key) : 0;
	r->size = r->stream ? UINT64_MAX : (uint64_t)st.st_size;
	if (!err)
		err = check_preamble(r);
	if (!err && !r->stream)
		err = check_end(r);
	if (err)
		image_close(r);
	return err;
}

static void prepare(struct image_reader *r, int fd, bool owned)
{
	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->owned = owned;
}

int image_open_fd(struct image_reader *r, int fd)
{
	prepare(r, fd, false);
	return attach(r, false, NULL);
}

int image_open(struct image_reader *r, const char *path, const char *key)
{
	struct stat st;
	int fd, err;

	prepare(r, -1, false);
	if (!strcmp(path, "-")) {
		CONTEXT("standard input");
		r->fd = STDIN_FILENO;
		/* A file that was read from already goes on from there, as cat would do. */
		return attach(r, lseek(r->fd, 0, SEEK_CUR) != 0, key);
	}
	CONTEXT("%s", path);
	/* Looked at before it is opened: an open alone blocks on a FIFO, and arms a watchdog. */
	if (stat(path, &st) < 0)
		return fail_errno("cannot be read");
	if (!S_ISREG(st.st_mode))
		return fail(EIMAGE, "not a regular file (an image from a pipe is read with \"-\")");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail_errno("cannot be read");
	prepare(r, fd, true);
	err = attach(r, false, key);
	if (!err && !(IS_ON_TRUST && r->seal))
		err = place_check(fd);
	if (err)
		image_close(r);
	return err;
}

/* All frames were read: do they add up to what the footer says? */
static int compare(struct image_reader *r, const Footer *footer)
{
	if (r->partial)
		return 0;
	if (r->records != footer->records || r->body_bytes != footer->body_bytes || r->chain != footer->chain)
		return failed(r, fail(EIMAGE, "records are missing, doubled or from another image: %" PRIu64
				      " of %" PRIu64, r->records, footer->records));
	return 0;
}

static int check_trailer(struct image_reader *r, const struct record *footer)
{
	uint8_t trailer[IMAGE_TRAILER];
	uint8_t more;
	int err = take(r, trailer, sizeof(trailer));

	if (err)
		return read_failed(r, err);
	if (!trailer_is_good(trailer) || get_le64(trailer) != footer->offset)
		return failed(r, fail(EIMAGE, "its end is damaged"));
	err = take(r, &more, 1);
	if (!err)
		return failed(r, fail(EIMAGE, "something follows the end of the image"));
	return err == -ENODATA ? 0 : read_failed(r, err);
}

int image_next(struct image_reader *r, struct record *rec)
{
	uint8_t crc[4];
	uint32_t header_crc = 0;
	Footer footer;
	int err;

	if (r->error)
		return r->error;
	if (r->ended)
		return 0;
	err = take_frame(r, rec, &header_crc);
	if (err)
		return err;
	if (rec->type != RECORD_FOOTER) {
		if (r->offset > r->footer_offset)
			return failed(r, fail(EIMAGE, "record type %u at byte %" PRIu64 ": runs into the footer",
					      rec->type, rec->offset));
		put_le32(crc, header_crc);
		r->chain = crc32c(r->chain, crc, sizeof(crc));
		r->records++;
		r->body_bytes += rec->body_len;
		return 1;
	}
	err = take_footer(r, rec, &footer);
	if (!err)
		err = compare(r, &footer);
	if (!err)
		err = check_trailer(r, rec);
	if (err)
		return err;
	r->have_totals = true;
	r->ended = true;
	return 0;
}

const struct image_totals *image_totals(const struct image_reader *r)
{
	return r->have_totals ? &r->totals : NULL;
}

int image_find(struct image_reader *r, uint32_t type, uint32_t key, uint64_t *offset)
{
	uint8_t entries[64 * INDEX_ENTRY];
	uint32_t at, n, i;
	int err;

	if (r->stream)
		return -ENODATA;
	for (at = 0; at < r->index_len; at += n) {
		n = r->index_len - at < sizeof(entries) ? r->index_len - at : (uint32_t)sizeof(entries);
		err = pread_all(r->fd, entries, n, r->index_offset + at);
		if (err)
			return read_failed(r, err);
		for (i = 0; i < n; i += INDEX_ENTRY) {
			if (get_le32(entries + i) != type || get_le32(entries + i + 4) != key)
				continue;
			*offset = get_le64(entries + i + 8);
			return 1;
		}
	}
	return r->index_complete ? 0 : -ENODATA;
}

bool image_rewinds(const struct image_reader *r)
{
	return r->rewinds;
}

int image_check_newest(const struct image_reader *r)
{
	return IS_ON_TRUST && r->seal ? newest_check(r->seal, r->fd) : 0;
}

int image_restored(const struct image_reader *r)
{
	return IS_ON_TRUST && r->seal ? newest_restored(r->seal, r->fd) : 0;
}

void image_inherited(const struct image_reader *r, bool yes)
{
	if (IS_ON_TRUST && r->seal)
		seal_inherited(r->seal, yes);
}

int image_seek(struct image_reader *r, uint64_t offset)
{
	const bool again = IS_ON_TRUST && r->seal && r->rewinds && offset == IMAGE_PREAMBLE;
	int err;

	if (r->stream && !again)
		return fail(ESPIPE, "an image from a pipe can be read once, from front to back");
	if (offset < IMAGE_PREAMBLE || offset > r->footer_offset)
		return fail(EIMAGE, "a record at byte %" PRIu64 " would lie outside the image", offset);
	r->ahead = 0;
	r->offset = offset;
	r->ended = false;
	r->error = 0;
	r->partial = offset != IMAGE_PREAMBLE;
	r->records = 0;
	r->body_bytes = 0;
	r->chain = 0;
	if (!again)
		return 0;
	r->offset = 0;
	err = unseal_rewind(r->seal);
	return err ? failed(r, err) : check_preamble(r);
}

uint64_t image_offset(const struct image_reader *r)
{
	return r->offset;
}

void image_close(struct image_reader *r)
{
	int saved = errno;

	if (r->map)
		munmap(r->map, MAP_SIZE);
	if (IS_ON_TRUST)
		seal_free(r->seal);
	r->seal = NULL;
	if (r->owned)
		close(r->fd);
	r->map = NULL;
	r->owned = false;
	r->error = -EBADF;
	errno = saved;
}

int record_decode(const struct record *rec, const pb_msgdesc_t *fields, void *message)
{
	pb_istream_t in = pb_istream_from_buffer(rec->message, rec->message_len);

	if (!pb_decode(&in, fields, message))
		return fail(EIMAGE, "record type %u at byte %" PRIu64 ": it cannot be decoded", rec->type, rec->offset);
	return 0;
}

/* Toggles that this build lacks, as one text: the type of a record, the toggle that brings it, a NUL. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): texts side by side become one */
#define LACKS(toggle, type) LACKS_VALUE(IS_ON_##toggle, type #toggle "\0")
#define LACKS_VALUE(value, text) LACKS_TOKENS(value, text)
#define LACKS_TOKENS(value, text) LACKS_##value(text)
#define LACKS_0(text) text
#define LACKS_1(text)
static const char lacking[] =
	LACKS(SESSIONS, "\x0f") LACKS(SESSIONS, "\x1c") LACKS(CLOCKS, "\x10") LACKS(MTE, "\x12") LACKS(LOCKS, "\x1a") LACKS(POSIX_TIMERS, "\x1b")
	LACKS(UNLINKED, "\x29") LACKS(PIPE, "\x2b") LACKS(DEVICE, "\x2c") LACKS(INHERIT_STDIO, "\x2d") LACKS(EMBED, "\x2f")
	LACKS(TIMERFD, "\x30") LACKS(EVENTFD, "\x31") LACKS(RULES, "\x32") "";

int record_unknown(const struct record *rec)
{
	const char *toggle = lacking;

	while (*toggle && *toggle != rec->type)
		toggle += strlen(toggle) + 1;
	if (rec->flags & RECORD_MUST_UNDERSTAND)
		return *toggle ? fail(EIMAGE, "this tinyckpt was built without CONFIG_%s", toggle + 1)
			       : fail(EIMAGE, "made by a newer tinyckpt: record type %u", rec->type);
	log_debug("record type %u at byte %" PRIu64 ": not known, passed over", rec->type, rec->offset);
	return 0;
}
