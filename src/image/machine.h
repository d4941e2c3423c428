/* SPDX-License-Identifier: MIT */
/* The machine that an image was made on: what of it the workload may rely on has to be there when it comes back. */
#ifndef TINYCKPT_IMAGE_MACHINE_H
#define TINYCKPT_IMAGE_MACHINE_H

#include <stddef.h>

#include "header.pb.h"

/* Into m: page size and features of this machine. */
void machine_describe(Header *m);

/* May m's image live on this machine?  0 or -EIMAGE; what is different or lacking is said, all of it. */
int machine_compare(const Header *m);

/* The name of a feature of this architecture, as in /proc/cpuinfo; without one, where its bit is.  Returns to. */
const char *machine_feature_name(unsigned int word, unsigned int bit, char *to, size_t cap);

#endif
