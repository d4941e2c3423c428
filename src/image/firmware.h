/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_IMAGE_FIRMWARE_H
#define TINYCKPT_IMAGE_FIRMWARE_H

#include <stddef.h>

/* What os-release(5) calls this machine's firmware: PRETTY_NAME, else NAME and VERSION; "" when it does not tell. */
void firmware_name(char *to, size_t cap);

#endif
