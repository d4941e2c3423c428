/* SPDX-License-Identifier: MIT */
/* The table of kernel/feature.h on standard output: what `check` prints without a PID. */
#ifndef TINYCKPT_CHECK_KERNEL_H
#define TINYCKPT_CHECK_KERNEL_H

#include <stdbool.h>

/* Tries it all.  -ENOTSUP, silently: no tree at all can be saved, or none restored. */
int check_kernel(bool json);

/* The kernel options that bring it all: a fragment for the kernel's scripts/kconfig/merge_config.sh.  Nothing is tried. */
void check_kconfig(void);

#endif
