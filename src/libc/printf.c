/* SPDX-License-Identifier: MIT */
/*
 * printf(3), snprintf(3) and vsnprintf(3) as far as the tool needs them, linked in place of the C library's, whose
 * floating point and wide characters cost 8 KB and more; and standard output, in place of streams that can be many, shared by
 * threads, and read from, which cost 2 KB.  That one has no FILE; fflush(NULL) tells whether all has arrived.  What waits at
 * exit is not written: main() sees to it.
 *
 * A conversion is % [-0#] [WIDTH or *] [. PRECISION or *] [l, ll or z] and one of c d u x o s %; only s heeds a precision.
 * That the sources ask for no others, tools/lint sees to.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

static char output[1024];
static size_t output_len;
static int output_failed;	/* errno of the first write that did; from then on all is dropped */

int fflush(FILE *file)
{
	(void)file;
	if (!output_failed)
		output_failed = -write_all(STDOUT_FILENO, output, output_len);
	output_len = 0;
	errno = output_failed ? output_failed : errno;
	return output_failed ? EOF : 0;
}

int putchar(int c)
{
	if (output_len == sizeof(output))
		fflush(NULL);
	output[output_len++] = (char)c;
	return output_failed ? EOF : (unsigned char)c;
}

/* The compiler makes it of a printf(3) that ends a line. */
int puts(const char *text)
{
	while (*text)
		putchar(*text++);
	return putchar('\n');
}

struct sink {
	bool out;	/* to standard output, not to text */
	char *text;
	size_t room;	/* bytes left in text */
	size_t len;	/* what was put, whether there was room or not */
};

static void put(struct sink *to, const char *bytes, size_t n)
{
	to->len += n;
	if (to->out) {
		while (n--)
			putchar(*bytes++);
	} else if (to->room) {
		n = n < to->room ? n : to->room;
		memcpy(to->text, bytes, n);
		to->text += n;
		to->room -= n;
	}
}

static void pad(struct sink *to, char with, int n)
{
	while (n-- > 0)
		put(to, &with, 1);
}

static void format(struct sink *to, const char *f, va_list args)
{
	for (;;) {
		bool left = false, zeros = false, prefixed = false;
		int width = 0, precision = -1, longs = 0, len;
		const char *prefix = "", *body;
		char digits[24], *digit = digits + sizeof(digits);
		unsigned int base = 10;
		uint64_t value;
		size_t plain = strcspn(f, "%");

		put(to, f, plain);
		f += plain;
		if (!*f++)
			return;

		for (; *f == '-' || *f == '0' || *f == '#'; f++) {
			left |= *f == '-';
			zeros |= *f == '0';
			prefixed |= *f == '#';
		}
		for (int *number = &width;; number = &precision, *number = 0, f++) {
			if (*f == '*')
				*number = va_arg(args, int), f++;
			for (; *f >= '0' && *f <= '9'; f++)
				*number = *number * 10 + *f - '0';
			if (*f != '.')
				break;
		}
		for (; *f == 'l' || *f == 'z'; f++)
			longs++;

		switch (*f) {
		case 's':
			body = va_arg(args, const char *);
			len = (int)strnlen(body, precision < 0 ? INT32_MAX : (size_t)precision);
			break;
		case 'd':
		case 'u':
		case 'x':
		case 'o':
			value = longs > 1 ? va_arg(args, uint64_t) : longs ? va_arg(args, unsigned long) : va_arg(args, unsigned int);
			if (*f == 'd') {
				int64_t number = longs > 1 ? (int64_t)value : longs ? (long)value : (int)value;

				if (number < 0) {
					prefix = "-";
					value = -(uint64_t)number;
				}
			} else if (*f != 'u') {
				base = *f == 'x' ? 16 : 8;
				if (prefixed && value)
					prefix = *f == 'x' ? "0x" : "0";
			}
			do
				*--digit = "0123456789abcdef"[value % base];
			while (value /= base);
			body = digit;
			len = (int)(digits + sizeof(digits) - digit);
			break;
		default:	/* %c, and %% stands for itself */
			*--digit = *f;
			if (*f == 'c')
				*digit = (char)va_arg(args, int);
			body = digit;
			len = 1;
		}
		f++;

		width -= (int)strlen(prefix) + len;
		pad(to, ' ', left || zeros ? 0 : width);
		put(to, prefix, strlen(prefix));
		pad(to, '0', zeros ? width : 0);
		put(to, body, (size_t)len);
		pad(to, ' ', left ? width : 0);
	}
}

int vsnprintf(char *text, size_t cap, const char *fmt, va_list args)
{
	struct sink to = { .text = text, .room = cap ? cap - 1 : 0 };

	format(&to, fmt, args);
	if (cap)
		*to.text = '\0';
	return (int)to.len;
}

int snprintf(char *text, size_t cap, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, cap, fmt, args);
	va_end(args);
	return len;
}

int printf(const char *fmt, ...)
{
	struct sink to = { .out = true };
	va_list args;

	va_start(args, fmt);
	format(&to, fmt, args);
	va_end(args);
	return (int)to.len;
}
