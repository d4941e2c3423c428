/* SPDX-License-Identifier: MIT */
/* A byte array that grows. Start with `struct buffer b = { 0 };`, end with buffer_free(). */
#ifndef TINYCKPT_BASE_BUFFER_H
#define TINYCKPT_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *data; /* from malloc, owned; moves when the buffer grows */
	size_t len;    /* bytes in use */
	size_t cap;    /* bytes allocated */
};

#define CLEANUP_BUFFER __attribute__((cleanup(buffer_free)))

/*
 * Appends a copy of LEN bytes (FROM must not point into the buffer itself). 0 or -ENOMEM, also when the sizes
 * overflow; the buffer is then as it was. Says nothing: the caller knows what the bytes were for.
 */
int buffer_append(struct buffer *b, const void *from, size_t len);

/* Appends LEN zeroed bytes and returns their address (valid until the buffer grows again), or NULL as above. */
void *buffer_grow(struct buffer *b, size_t len);

/* Releases the memory and leaves an empty buffer that can be used again. */
void buffer_free(struct buffer *b);

#endif
