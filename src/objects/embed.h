/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_OBJECTS_EMBED_H
#define TINYCKPT_OBJECTS_EMBED_H

#include <stdbool.h>

/* Is this the name of a mapping of memory that stands in for a file? */
bool embed_is_memory(const char *name);

#endif
