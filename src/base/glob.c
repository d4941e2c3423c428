/* SPDX-License-Identifier: MIT */
#include "base/glob.h"

#include <stdint.h>
#include <string.h>

/* Behind the set that begins at P, or NULL. A `]` that comes first is one of its members. */
static const char *set_end(const char *p)
{
	p += p[1] == '!' || p[1] == '^' ? 2 : 1;
	if (*p == ']')
		p++;
	while (*p && *p != ']')
		p += p[0] == '\\' && p[1] ? 2 : 1;
	return *p ? p + 1 : NULL;
}

/* Behind the element that begins at P: a character, a set, one or two stars. */
static const char *element_end(const char *p)
{
	if (*p == '[')
		return set_end(p);
	if (*p == '\\')
		return p[1] ? p + 2 : NULL;
	return p + (p[0] == '*' && p[1] == '*' ? 2 : 1);
}

const char *glob_error(const char *pattern)
{
	if (!*pattern)
		return "an empty pattern";
	if (strlen(pattern) > GLOB_MAX)
		return "a pattern of more than 1023 bytes";
	while (*pattern) {
		const char *next = element_end(pattern);

		if (!next)
			return *pattern == '[' ? "a [ without its ]" : "a \\ with nothing behind it";
		pattern = next;
	}
	return NULL;
}

static bool in_set(const char *p, const char *end, unsigned char c)
{
	bool inverted = p[1] == '!' || p[1] == '^', found = false;

	for (p += inverted ? 2 : 1, end--; p < end; p++) {
		unsigned char low, high;

		if (*p == '\\')
			p++;
		low = high = (unsigned char)*p;
		if (p[1] == '-' && p + 2 < end) {
			p += p[2] == '\\' ? 3 : 2;
			high = (unsigned char)*p;
		}
		found |= c >= low && c <= high;
	}
	return found != inverted;
}

static bool takes(const char *p, const char *end, char c)
{
	switch (*p) {
	case '?':
		return c != '/';
	case '[':
		return c != '/' && in_set(p, end, (unsigned char)c);
	case '\\':
		return c == p[1];
	default:
		return c == *p;
	}
}

/* Bits: the places in the pattern that what was read of the text may have led to. */
typedef uint8_t places[(GLOB_MAX + 8) / 8];

static void add(places set, const char *pattern, const char *p)
{
	for (;;) {
		size_t at = (size_t)(p - pattern);

		set[at / 8] |= (uint8_t)(1U << at % 8);
		if (*p != '*')	/* which may stand for nothing */
			return;
		p = element_end(p);
	}
}

bool glob_match(const char *pattern, const char *text)
{
	places now = { 0 };
	const size_t len = strlen(pattern);

	add(now, pattern, pattern);
	for (; *text; text++) {
		places next = { 0 };
		bool led = false;

		for (const char *p = pattern, *end; *p; p = end) {
			size_t at = (size_t)(p - pattern);

			end = element_end(p);
			if (!(now[at / 8] >> at % 8 & 1))
				continue;
			led = true;
			if (*p != '*' && takes(p, end, *text))
				add(next, pattern, end);
			else if (*p == '*' && (end - p == 2 || *text != '/'))
				add(next, pattern, p);
		}
		if (!led)
			return false;
		memcpy(now, next, sizeof(now));
	}
	return now[len / 8] >> len % 8 & 1;
}
