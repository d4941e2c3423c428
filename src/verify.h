/* SPDX-License-Identifier: MIT */
/*
 * Reads all of an image without restoring it.  What is wrong with the image itself is an error, the first is the last;
 * what is wrong with this machine (a file that changed, a number that is taken) is noted, all of it.
 */
#ifndef TINYCKPT_VERIFY_H
#define TINYCKPT_VERIFY_H

#include "job/verify.h"

/* 0: whole (see foreign and busy), or a negative error, said.  Everything is released. */
int verify_image(struct verify *v, struct image_reader *image);

#endif
