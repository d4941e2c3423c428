/* SPDX-License-Identifier: MIT */
/* What a kernel may have been built without, or forbids, in words: system calls that a restore makes for what is in an image. */
#ifndef TINYCKPT_KERNEL_LACKING_H
#define TINYCKPT_KERNEL_LACKING_H

#include <stdint.h>

#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"

/* Its name and the kernel's option, for messages; NULL: it is not among those. */
const char *lacking(long nr);

/* To be called with the errno of that call: -EIMAGE where the kernel lacks it, else as fail_errno(). */
int fail_lacking(long nr, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define FAIL_CALL(nr, ...) (IS_ON_BARE_KERNELS ? fail_lacking(nr, __VA_ARGS__) : fail_errno(__VA_ARGS__))

/* Why no task can be held (PTRACE_SEIZE), where that is nobody's right; else NULL. */
const char *lacking_tracers(void);

/* Why nothing can be saved; NULL: nothing is known of that. */
const char *lacking_to_save(void);

/* What a call gives that asks for a number; 0, which is the usual, where the kernel has no such call. */
static inline uint32_t number_or_none(long result)
{
	return IS_ON_BARE_KERNELS && result < 0 ? 0 : (uint32_t)result;
}

#endif
