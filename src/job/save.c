/* SPDX-License-Identifier: MIT */
#include "job/save.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

void obstacle(struct save *s, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	s->obstacles++;
	/* what memory does not allow for is said at once, and counted */
	if (!s->named || buffer_append(s->named, log_context(), strlen(log_context())) ||
	    buffer_append(s->named, text, strlen(text) + 1))
		fail(EHOLDS, "%s", text);
}

uint32_t save_next_id(struct save *s)
{
	return ++s->last_id;
}

int save_carrier(struct save *s, uint64_t dev, uint64_t ino, uint32_t *id, bool *known)
{
	const struct carrier *c = (const struct carrier *)(void *)s->carriers.data;
	struct carrier new = { .dev = dev, .ino = ino };

	for (size_t i = 0; i < s->carriers.len / sizeof(*c); i++) {
		if (c[i].dev == dev && c[i].ino == ino) {
			*id = c[i].id;
			*known = true;
			return 0;
		}
	}
	*id = new.id = save_next_id(s);
	*known = false;
	return buffer_append(&s->carriers, &new, sizeof(new)) ? fail(ENOMEM, "out of memory") : 0;
}
