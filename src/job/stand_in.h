/* SPDX-License-Identifier: MIT */
/* Ordinary memory that stands in for mappings of another kernel, see tree/vdso.h. */
#ifndef TINYCKPT_JOB_STAND_IN_H
#define TINYCKPT_JOB_STAND_IN_H

#include <stdint.h>

struct stand_in {
	uint32_t crc;		/* of the last one's contents as they were, as a RECORD_VMA has it */
	uint32_t n;		/* so many mappings, one behind the other, the last one code; 0: there is none */
	uint32_t spare;		/* 1: signals return through it, and nobody calls it */
	uint32_t text;		/* which of the image's texts it is, while that is read */
	struct {
		uint64_t start, end;
		char name[24];
	} was[4];
};

#endif
