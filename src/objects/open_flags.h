/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_OBJECTS_OPEN_FLAGS_H
#define TINYCKPT_OBJECTS_OPEN_FLAGS_H

#include <stdint.h>

/* The flags of an open file description by their names, as one writes them for open(2): O_RDWR|O_APPEND.  What has no name is a
 * number at the end.  Returns text.  CONFIG_CMD_SHOW. */
enum { OPEN_FLAGS_TEXT = 160 };
const char *open_flags_text(uint32_t flags, char text[OPEN_FLAGS_TEXT]);

#endif
