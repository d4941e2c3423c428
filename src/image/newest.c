/* SPDX-License-Identifier: MIT */
#include "image/newest.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium/crypto_secretstream_xchacha20poly1305.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "image/key.h"
#include "image/place.h"
#include "image/target.h"

struct note {
	uint8_t newest[SEAL_ID], before[SEAL_ID], restored;
};

enum { NOTE_BYTES = SEAL_ID + sizeof(struct note) + SEAL_MORE };

typedef crypto_secretstream_xchacha20poly1305_state state;

/*
 * No two notes that differ may have the same nonce.  That of a save is random.  An image has one note of its restore, whose nonce
 * can be the image's id, which was random then: early in a boot there may be no random numbers yet, and they would be waited for.
 */
static int write_note(const struct seal *s, int directory, const struct note *note)
{
	char path[SEAL_NAME_MAX + 48];
	uint8_t bytes[NOTE_BYTES];
	struct image_target target;
	state st;
	int err = 0;

	if (note->restored)
		memcpy(bytes, note->newest, SEAL_ID);
	else
		err = key_random(bytes, SEAL_ID);
	crypto_secretstream_xchacha20poly1305_init_pull(&st, bytes, seal_newest_key(s));
	crypto_secretstream_xchacha20poly1305_push(&st, bytes + SEAL_ID, NULL, (const uint8_t *)note, sizeof(*note),
						   (const uint8_t *)seal_name(s), strlen(seal_name(s)),
						   crypto_secretstream_xchacha20poly1305_TAG_FINAL);
	sodium_memzero(&st, sizeof(st));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.%s.newest", directory, seal_name(s));
	if (err)
		return fail_for(err, "random numbers");
	err = target_open(&target, path);
	if (err)
		return err;
	err = write_all(target.fd, bytes, sizeof(bytes));
	err = err ? fail_for(err, "%s: cannot be written", target.name) : target_commit(&target);
	target_drop(&target);
	return err;
}

/* 0; -ENOENT, unsaid: there is none; -EIMAGE, unsaid: it is not authentic; other errors are said. */
static int read_note(const struct seal *s, int directory, struct note *note)
{
	char name[SEAL_NAME_MAX + 16];
	CLEANUP_CLOSE int fd = -1;
	uint8_t bytes[NOTE_BYTES + 1];
	unsigned char tag;
	size_t len;
	state st;
	int err;

	memset(note, 0, sizeof(*note));
	snprintf(name, sizeof(name), ".%s.newest", seal_name(s));
	fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : fail_errno("%s", name);
	err = read_upto(fd, bytes, sizeof(bytes), &len);
	if (err)
		return fail_for(err, "%s", name);
	if (len != NOTE_BYTES)
		return -EIMAGE;
	crypto_secretstream_xchacha20poly1305_init_pull(&st, bytes, seal_newest_key(s));
	err = crypto_secretstream_xchacha20poly1305_pull(&st, (uint8_t *)note, NULL, &tag, bytes + SEAL_ID, NOTE_BYTES - SEAL_ID,
							 (const uint8_t *)seal_name(s), strlen(seal_name(s)));
	sodium_memzero(&st, sizeof(st));
	return err ? -EIMAGE : 0;
}

/* Ids are random: none is all zero. */
static bool has(const struct note *note, const uint8_t *id)
{
	return (!note->restored && !memcmp(note->newest, id, SEAL_ID)) || !memcmp(note->before, id, SEAL_ID);
}

/* The image that the new one replaces, if it may be restored still: until then it is to remain so. */
static int find_before(const struct seal *s, int directory, uint8_t before[SEAL_ID])
{
	uint8_t preamble[SEAL_FIXED];
	CLEANUP_CLOSE int fd = openat(directory, seal_name(s), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct note old;
	int err = read_note(s, directory, &old);

	memset(before, 0, SEAL_ID);
	if (err == -EIMAGE)	/* of another key, say, as its images: nothing of it counts */
		log_notice(".%s.newest: not by this key, made anew", seal_name(s));
	if (err)
		return err == -EIMAGE || err == -ENOENT ? 0 : err;
	if (fd >= 0 && !read_all(fd, preamble, sizeof(preamble)) && !memcmp(preamble, SEAL_MAGIC, 8) && has(&old, preamble + 20))
		memcpy(before, preamble + 20, SEAL_ID);
	return 0;
}

int newest_announce(const struct seal *s, int directory)
{
	struct note note = { .restored = 0 };
	int err = find_before(s, directory, note.before);

	memcpy(note.newest, seal_id(s), SEAL_ID);
	return err ? err : write_note(s, directory, &note);
}

int newest_settle(const struct seal *s, int directory)
{
	struct note note = { .restored = 0 };

	memcpy(note.newest, seal_id(s), SEAL_ID);
	return write_note(s, directory, &note);
}

int newest_check(const struct seal *s, int fd)
{
	CLEANUP_CLOSE int directory = -1;
	struct note note;
	int err;

	if (!*seal_name(s))
		return 0;
	directory = place_directory(fd);
	if (directory < 0)
		return directory;
	err = read_note(s, directory, &note);
	if (err == -ENOENT)
		return fail(EIMAGE, "there is no .%s.newest beside it, which tells whether it is the newest image, and was not "
			    "restored yet", seal_name(s));
	if (err == -EIMAGE)
		return fail(EIMAGE, ".%s.newest, which tells whether it is the newest image, is not authentic", seal_name(s));
	if (err)
		return err;
	if (has(&note, seal_id(s)))
		return 0;
	return memcmp(note.newest, seal_id(s), SEAL_ID) ? fail(EIMAGE, "there was a newer image of this name, it is out of date")
							: fail(EIMAGE, "it was restored already, which is done once");
}

int newest_restored(const struct seal *s, int fd)
{
	CLEANUP_CLOSE int directory = -1;
	struct note note = { .restored = 1 };

	if (!*seal_name(s))
		return 0;
	directory = place_directory(fd);
	if (directory < 0)
		return directory;
	memcpy(note.newest, seal_id(s), SEAL_ID);
	return write_note(s, directory, &note);
}
