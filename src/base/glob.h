/* SPDX-License-Identifier: MIT */
/*
 * Patterns for names: `*` any run of characters but `/`, `**` any run, `?` one character but `/`, `[a-z]`, `[!a-z]` one of
 * (not of) a set, never `/`; `\` takes the next character as it is. Bytes are compared, whatever they encode.
 */
#ifndef TINYCKPT_BASE_GLOB_H
#define TINYCKPT_BASE_GLOB_H

#include <stdbool.h>

enum { GLOB_MAX = 1023 }; /* bytes of a pattern */

/* NULL: it is one; else what is wrong with it. */
const char *glob_error(const char *pattern);

/*
 * The whole of TEXT matches PATTERN, of which glob_error() has nothing to say. Takes at most a step for each pair of their
 * bytes, whatever the pattern.
 */
bool glob_match(const char *pattern, const char *text);

#endif
