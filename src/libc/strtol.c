/* SPDX-License-Identifier: MIT */
/*
 * strtol(3) and its kin, linked in place of the C library's, which can read from a FILE as well: 1.5 KB less.
 * Bases up to 16.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Of what is no digit: 16. */
static unsigned int digit(char c)
{
	unsigned int decimal = (unsigned int)c - '0', letter = (unsigned int)(c | 32) - 'a';

	return decimal < 10 ? decimal : letter < 6 ? letter + 10 : 16;
}

/* Numbers beyond MOST, and those below -MOST_BELOW, become these, as bits; errno is then ERANGE. */
static uint64_t number(const char *text, char **end, int base, uint64_t most, uint64_t most_below)
{
	const char *s = text + strspn(text, " \t\n\v\f\r"), *first;
	bool below = *s == '-', beyond = false;
	uint64_t value = 0;

	s += below || *s == '+';
	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 32) == 'x' && digit(s[2]) < 16) {
		s += 2;
		base = 16;
	} else if (base == 0) {
		base = *s == '0' ? 8 : 10;
	}
	for (first = s; digit(*s) < (unsigned int)base; s++) {
		beyond |= __builtin_mul_overflow(value, (unsigned int)base, &value);
		beyond |= __builtin_add_overflow(value, digit(*s), &value);
	}
	if (end)
		*end = (char *)(s == first ? text : s);
	if (below)
		most = most_below;
	if (beyond || value > most) {
		errno = ERANGE;
		return most;
	}
	return below ? -value : value;
}

long strtol(const char *text, char **end, int base)
{
	return (long)number(text, end, base, LONG_MAX, (uint64_t)LONG_MAX + 1);
}

/*
 * The C library's strftime(3) calls it, and comes in when all sources have been optimized as one: the compiler knows that
 * function by itself, and does not tell the linker of calls to it before.
 */
__attribute__((used))
unsigned long strtoul(const char *text, char **end, int base)
{
	return (unsigned long)number(text, end, base, ULONG_MAX, ULONG_MAX);
}

long long strtoll(const char *text, char **end, int base)
{
	return (long long)number(text, end, base, LLONG_MAX, (uint64_t)LLONG_MAX + 1);
}

unsigned long long strtoull(const char *text, char **end, int base)
{
	return number(text, end, base, ULLONG_MAX, ULLONG_MAX);
}
