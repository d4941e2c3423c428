/* SPDX-License-Identifier: MIT */
/*
 * Writes one JSON document (RFC 8259) as it goes, to standard output: nothing is kept, whatever its size.
 * Without CONFIG_JSON there is no json.c: calls stand behind `if (IS_ON_JSON && ...)`, so that they vanish with it.
 */
#ifndef TINYCKPT_JSON_H
#define TINYCKPT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

struct json {
	unsigned int depth;	/* at most 31 */
	uint32_t filled;	/* one bit a depth: something is in it, so a comma is due */
};

/* An object or array; key is NULL inside an array and for the document itself. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array_end(struct json *j);	/* the end of the document also ends the line */

/* Text may be anything: what is not UTF-8 becomes U+FFFD. */
void json_text(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);

#endif
