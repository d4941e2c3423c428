/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct buffer *b, size_t len)
{
	size_t need, cap;
	void *data;

	if (__builtin_add_overflow(b->len, len, &need) || need > PTRDIFF_MAX)
		return -ENOMEM;
	if (need <= b->cap && b->data)
		return 0;
	/* Twice as much, so that many small appends cost little: what is not touched takes no memory. */
	if (__builtin_add_overflow(b->cap, b->cap, &cap) || cap < need)
		cap = need;
	if (cap < 256)
		cap = 256;
	data = realloc(b->data, cap);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

int buffer_append(struct buffer *b, const void *from, size_t len)
{
	int err = reserve(b, len);

	if (err)
		return err;
	if (len)
		memcpy(b->data + b->len, from, len);
	b->len += len;
	return 0;
}

void *buffer_grow(struct buffer *b, size_t len)
{
	void *grown;

	if (reserve(b, len))
		return NULL;
	grown = b->data + b->len;
	memset(grown, 0, len);
	b->len += len;
	return grown;
}

void buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}
