/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>

/* Bytes of the UTF-8 character at s (RFC 3629: no surrogates, nothing overlong); 0: it is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)	/* also the end of the text */
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void put_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putchar('"');
	while (*s) {
		size_t n = utf8_length(s);

		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			printf("\\u%04x", *s);
		else if (n)
			printf("%.*s", (int)n, s);
		else
			printf("\\ufffd");
		s += n ? n : 1;
	}
	putchar('"');
}

/* What stands in front of a value: comma, line, key. */
static void lead(struct json *j, const char *key)
{
	uint32_t bit = 1U << j->depth;

	if (j->filled & bit)
		putchar(',');
	if (j->depth)
		printf("\n%*s", (int)j->depth, "");
	j->filled |= bit;
	if (key) {
		put_string(key);
		printf(": ");
	}
}

static void open_bracket(struct json *j, const char *key, char bracket)
{
	lead(j, key);
	putchar(bracket);
	j->depth++;
	j->filled &= ~(1U << j->depth);
}

static void close_bracket(struct json *j, char bracket)
{
	bool filled = j->filled & 1U << j->depth;

	j->depth--;
	if (filled)
		printf("\n%*s", (int)j->depth, "");
	putchar(bracket);
	if (!j->depth)
		putchar('\n');
}

void json_object(struct json *j, const char *key)
{
	open_bracket(j, key, '{');
}

void json_array(struct json *j, const char *key)
{
	open_bracket(j, key, '[');
}

void json_object_end(struct json *j)
{
	close_bracket(j, '}');
}

void json_array_end(struct json *j)
{
	close_bracket(j, ']');
}

void json_text(struct json *j, const char *key, const char *text)
{
	lead(j, key);
	put_string(text);
}

void json_number(struct json *j, const char *key, int64_t value)
{
	lead(j, key);
	printf("%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	lead(j, key);
	printf("%s", value ? "true" : "false");
}
