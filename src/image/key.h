/* SPDX-License-Identifier: MIT */
/* The key that images are encrypted with: a file of KEY_BYTES random bytes that nobody but its owner can read. */
#ifndef TINYCKPT_IMAGE_KEY_H
#define TINYCKPT_IMAGE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

enum { KEY_BYTES = 32, KEY_ID_BYTES = 8 };

/* What is made of the file's bytes, so that nothing is encrypted by a key that does anything else. */
struct key {
	uint8_t id[KEY_ID_BYTES];	/* is no secret */
	uint8_t images[KEY_BYTES];
	uint8_t newest[KEY_BYTES];	/* of the notes of which image is the newest, image/newest.h */
};

/* Where the key is installed; this very pointer also means that none need be there. */
extern const char key_installed[];

/* Commands' default: key_installed, or none (NULL) where the toggle leaves out keys. */
#define KEY_DEFAULT (IS_ON_TRUST ? key_installed : NULL)

/*
 * Reads the file; *none: there is none installed.  0, or a negative error, said: a file that others than its owner or root
 * may read or write is refused.
 */
int key_read(struct key *key, const char *path, bool *none);

/* Makes of the file's bytes what is in struct key. */
void key_derive(struct key *key, const uint8_t bytes[KEY_BYTES]);

/* Fills it with random bytes: 0 or a negative errno, unsaid.  Waits until the kernel has gathered what they are made of. */
int key_random(void *to, unsigned int len);

/* For people. */
struct key_text {
	char text[2 * KEY_ID_BYTES + 1];
};
struct key_text key_text(const uint8_t id[KEY_ID_BYTES]);

#endif
