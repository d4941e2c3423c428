/* SPDX-License-Identifier: MIT */
/* What is inside an image, for people and for programs.  Both return 0 or a negative error, said. */
#ifndef TINYCKPT_SHOW_H
#define TINYCKPT_SHOW_H

#include "image/reader.h"

/* Prints when all was read, and nothing when the image is damaged.  Keeps some 200 bytes a process and 40 an open file. */
int show_text(struct image_reader *image, const char *path);

/* Prints one JSON document, record by record, and keeps nothing. */
int show_json(struct image_reader *image);

#endif
