/* SPDX-License-Identifier: MIT */
/* Error numbers of tinyckpt's own, beside errno's. */
#ifndef TINYCKPT_BASE_ERROR_H
#define TINYCKPT_BASE_ERROR_H

/*
 * Functions return 0 or a negative number: -errno, or one of these, which lie beyond errno's range (at most 4095,
 * the kernel's MAX_ERRNO). main.c turns them into exit codes: 0 -> 0, -EUSAGE -> 2, -EHOLDS -> 3, -EIMAGE -> 4,
 * others -> 1.
 */
enum {
	EUSAGE = 5002, /* the command line is wrong */
	EHOLDS = 5003, /* the workload holds something that cannot be saved */
	EIMAGE = 5004, /* the image is damaged, incomplete, not trusted or of another machine */
};

#endif
