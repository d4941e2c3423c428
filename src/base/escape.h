/* SPDX-License-Identifier: MIT */
/* Makes text of unknown origin (file names, comms, image contents) safe to print on a terminal or in a log. */
#ifndef TINYCKPT_BASE_ESCAPE_H
#define TINYCKPT_BASE_ESCAPE_H

#include <stddef.h>

/*
 * Copies LEN bytes of TEXT to OUT (room for CAP bytes, at least 1), always with a terminating NUL, and returns the
 * length without it. Printable ASCII and well-formed UTF-8 stay; control characters (C0, DEL, C1), marks that turn
 * the reading direction, line separators and stray bytes become \xNN. What does not fit is cut at a character's
 * border.
 */
size_t escape(char *out, size_t cap, const char *text, size_t len);

#endif
