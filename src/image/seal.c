/* SPDX-License-Identifier: MIT */
#include "image/seal.h"

#include <errno.h>
#include <sodium/crypto_secretstream_xchacha20poly1305.h>
#include <sodium/utils.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "image/crc32c.h"
#include "image/format.h"
#include "image/key.h"

struct seal {
	struct key key;
	crypto_secretstream_xchacha20poly1305_state state;
	struct image_target *target;	/* writing */
	int fd;			/* reading */
	bool stream;		/* reading: in order, by read(2) */
	bool first;		/* the next chunk is the first one */
	bool final;		/* reading: the last chunk was handed out */
	uint64_t at;		/* reading a file: the next byte */
	size_t preamble_len;
	size_t pending;		/* writing: bytes of the chunk that are there */
	size_t read;		/* reading: bytes of the chunk that are there, when it was not handed out yet */
	uint8_t preamble[SEAL_FIXED + SEAL_NAME_MAX + 4];
	char name[SEAL_NAME_MAX + 1];
	uint8_t chunk[SEAL_CHUNK + SEAL_MORE];	/* a message; what is in it, encrypted or not, begins behind the first byte */
};

_Static_assert(SEAL_MORE == crypto_secretstream_xchacha20poly1305_ABYTES, "what a message is longer");
_Static_assert(SEAL_ID == crypto_secretstream_xchacha20poly1305_HEADERBYTES, "the header is the id");
_Static_assert(KEY_BYTES == crypto_secretstream_xchacha20poly1305_KEYBYTES, "the key is one of secretstream's");

int seal_new(struct seal **s, const char *keyfile)
{
	struct seal *new;
	bool none;
	int err;

	*s = NULL;
	if (!keyfile)
		return 0;
	new = mmap(NULL, sizeof(*new), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (new == MAP_FAILED)
		return fail_errno("buffers of the image");
	madvise(new, sizeof(*new), MADV_DONTDUMP);
	seal_inherited(new, false);
	err = key_read(&new->key, keyfile, &none);
	if (err)
		seal_free(new);
	else if (none)	/* nothing to wipe: that would take more time than all of the rest */
		munmap(new, sizeof(*new));
	else
		*s = new;
	return err;
}

void seal_inherited(struct seal *s, bool yes)
{
	madvise(s, sizeof(*s), yes ? MADV_DOFORK : MADV_DONTFORK);
}

void seal_free(struct seal *s)
{
	if (!s)
		return;
	sodium_memzero(s, sizeof(*s));
	munmap(s, sizeof(*s));
}

const uint8_t *seal_id(const struct seal *s)
{
	return s->preamble + 20;
}

const char *seal_name(const struct seal *s)
{
	return s->name;
}

const uint8_t *seal_newest_key(const struct seal *s)
{
	return s->key.newest;
}

/* init_pull() for both directions: it takes the header, where init_push() makes one, by a random source of its own. */
static void start(struct seal *s)
{
	crypto_secretstream_xchacha20poly1305_init_pull(&s->state, seal_id(s), s->key.images);
	s->first = true;
	s->final = false;
	s->pending = s->read = 0;
	s->at = s->preamble_len;
}

static int write_out(struct seal *s, void *bytes, size_t len)
{
	return target_write(s->target, &(struct iovec){ bytes, len }, 1);
}

int seal_begin(struct seal *s, struct image_target *target, const char *name)
{
	const size_t len = strlen(name);
	uint8_t *p = s->preamble;
	int err;

	if (len > SEAL_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(s->name, name, len + 1);
	memcpy(p, SEAL_MAGIC, 8);
	put_le16(p + 8, SEAL_VERSION);
	put_le16(p + 10, (uint16_t)len);
	memcpy(p + 12, s->key.id, KEY_ID_BYTES);
	err = key_random(p + 20, SEAL_ID);
	if (err)
		return err;
	memcpy(p + SEAL_FIXED, name, len);
	put_le32(p + SEAL_FIXED + len, crc32c(0, p, SEAL_FIXED + len));
	s->preamble_len = SEAL_FIXED + len + 4;
	s->target = target;
	start(s);
	return write_out(s, p, s->preamble_len);
}

/* What the first chunk is authentic with, beside itself. */
static size_t beside(const struct seal *s)
{
	return s->first ? s->preamble_len : 0;
}

static int put_chunk(struct seal *s, uint8_t tag)
{
	/* in place: the message's first byte is made before what follows it is read */
	crypto_secretstream_xchacha20poly1305_push(&s->state, s->chunk, NULL, s->chunk + 1, s->pending, s->preamble,
						   beside(s), tag);
	s->first = false;
	return write_out(s, s->chunk, s->pending + SEAL_MORE);
}

int seal_write(struct seal *s, const struct iovec *pieces, int count)
{
	for (; count; pieces++, count--) {
		const uint8_t *from = pieces->iov_base;
		size_t left = pieces->iov_len;

		while (left) {
			size_t n = SEAL_CHUNK - s->pending;
			int err;

			/* a full one waits for more: it may be the last */
			if (!n) {
				err = put_chunk(s, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
				if (err)
					return err;
				s->pending = 0;
				continue;
			}
			n = n < left ? n : left;
			memcpy(s->chunk + 1 + s->pending, from, n);
			s->pending += n;
			from += n;
			left -= n;
		}
	}
	return 0;
}

int seal_end(struct seal *s)
{
	return put_chunk(s, crypto_secretstream_xchacha20poly1305_TAG_FINAL);
}

uint64_t seal_size(const struct seal *s, uint64_t bytes)
{
	return s->preamble_len + bytes + (bytes / SEAL_CHUNK + 1) * SEAL_MORE;
}

/* Up to cap bytes, fewer at the end alone.  0 or a negative errno, unsaid. */
static int take(struct seal *s, uint8_t *to, size_t cap, size_t *len)
{
	int err;

	if (s->stream)
		return read_upto(s->fd, to, cap, len);
	err = pread_upto(s->fd, to, cap, s->at, len);
	s->at += *len;
	return err;
}

/* The next chunk, decrypted, into s->read. */
static int next_chunk(struct seal *s)
{
	unsigned long long plain;
	unsigned char tag = 0;
	size_t len;
	int err = take(s, s->chunk, sizeof(s->chunk), &len);

	if (err)
		return fail_for(err, "cannot be read");
	if (len < SEAL_MORE)
		return fail(EIMAGE, "cut off: not a whole image");
	if (crypto_secretstream_xchacha20poly1305_pull(&s->state, s->chunk + 1, &plain, &tag, s->chunk, len, s->preamble,
						       beside(s)))
		return fail(EIMAGE, len < sizeof(s->chunk) ? "damaged, altered or cut off: it is not authentic"
							   : "damaged or altered: it is not authentic");
	s->first = false;
	s->final = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	if (!s->final && (len < sizeof(s->chunk) || tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE))
		return fail(EIMAGE, "cut off: not a whole image");
	s->read = (size_t)plain;
	return 0;
}

static int check_preamble(struct seal *s, size_t len)
{
	const uint8_t *p = s->preamble;

	if (len < s->preamble_len)
		return fail(EIMAGE, "too short: not an image");
	if (crc32c(0, p, s->preamble_len - 4) != get_le32(p + s->preamble_len - 4))
		return fail(EIMAGE, "damaged in its first bytes");
	if (get_le16(p + 8) != SEAL_VERSION)
		return fail(EIMAGE, "encrypted format %u; this tinyckpt reads format %u", get_le16(p + 8), SEAL_VERSION);
	if (memcmp(p + 12, s->key.id, KEY_ID_BYTES))
		return fail(EIMAGE, "encrypted by another key, %s; the one of this machine is %s", key_text(p + 12).text,
			    key_text(s->key.id).text);
	memcpy(s->name, p + SEAL_FIXED, s->preamble_len - SEAL_FIXED - 4);
	s->name[s->preamble_len - SEAL_FIXED - 4] = '\0';
	return 0;
}

int unseal_begin(struct seal *s, int fd, bool stream, const uint8_t first[16])
{
	const size_t name = get_le16(first + 10);
	size_t len;
	int err;

	if (name > SEAL_NAME_MAX)
		return fail(EIMAGE, "damaged in its first bytes");
	s->fd = fd;
	s->stream = stream;
	memcpy(s->preamble, first, 16);
	s->preamble_len = SEAL_FIXED + name + 4;
	s->at = 16;
	err = take(s, s->preamble + 16, s->preamble_len - 16, &len);
	if (err)
		return fail_for(err, "cannot be read");
	err = check_preamble(s, 16 + len);
	if (err)
		return err;
	start(s);
	return next_chunk(s);
}

/* Nothing may follow the last chunk. */
static int check_end(struct seal *s)
{
	uint8_t more;
	size_t len;
	int err = take(s, &more, 1, &len);

	if (err)
		return fail_for(err, "cannot be read");
	return len ? fail(EIMAGE, "something follows the end of the image") : -ENODATA;
}

int unseal_next(struct seal *s, const uint8_t **data, size_t *len)
{
	int err = s->read ? 0 : s->final ? check_end(s) : next_chunk(s);

	if (err)
		return err;
	*data = s->chunk + 1;
	*len = s->read;
	s->read = 0;
	return *len ? 0 : check_end(s);
}

int unseal_rewind(struct seal *s)
{
	start(s);
	return next_chunk(s);
}
