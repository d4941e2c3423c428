/* SPDX-License-Identifier: MIT */
/* A clock that goes on: what the blob is handed by those who lead a program to it (src/tree/vdso.c). */
#ifndef TINYCKPT_PROXY_H
#define TINYCKPT_PROXY_H

#include <stdint.h>

struct proxy_offset {
	int64_t seconds;
	int32_t nanoseconds;	/* 0 to 999999999 */
	uint32_t pad;
};

struct proxy_clock {
	struct proxy_offset monotonic, boottime;
	uint64_t function;	/* clock_gettime() of this kernel's vDSO; 0: there is none */
	int32_t call;		/* the system call then */
	uint32_t narrow;	/* its struct timespec is of 32-bit words */
};

#endif
