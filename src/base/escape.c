/* SPDX-License-Identifier: MIT */
#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at TEXT (Unicode, table 3-7) and its code point; 0 if there is none. */
static size_t decode(const unsigned char *text, size_t len, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n, i;

	if (text[0] < 0x80)
		n = 1;
	else if (text[0] >= 0xc2 && text[0] < 0xe0)
		n = 2;
	else if (text[0] >= 0xe0 && text[0] < 0xf0)
		n = 3;
	else if (text[0] >= 0xf0 && text[0] < 0xf5)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	*point = n == 1 ? text[0] : text[0] & (0xffU >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (text[i] & 0x3f);
	}
	if (*point < least[n] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000))
		return 0;
	return n;
}

static bool is_harmless(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point < 0xa0))
		return false; /* C0, DEL, C1 */
	if (point == 0xfeff || point == 0x061c || point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
	    (point >= 0x2066 && point <= 0x2069))
		return false; /* line and paragraph separators, marks of direction and of byte order */
	return true;
}

size_t escape(char *out, size_t cap, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *in = (const unsigned char *)text;
	size_t at = 0, used = 0;

	while (at < len) {
		uint32_t point = 0;
		size_t n = decode(in + at, len - at, &point);

		if (n && is_harmless(point)) {
			if (used + n >= cap)
				break;
			memcpy(out + used, in + at, n);
			used += n;
			at += n;
		} else {
			if (used + 4 >= cap)
				break;
			out[used++] = '\\';
			out[used++] = 'x';
			out[used++] = hex[in[at] >> 4];
			out[used++] = hex[in[at] & 15];
			at++;
		}
	}
	out[used] = '\0';
	return used;
}
