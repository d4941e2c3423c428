/* SPDX-License-Identifier: MIT */
/* What an image may cost: bytes in all, and bytes a second, for flash that is slow or shared. */
#ifndef TINYCKPT_IMAGE_BUDGET_H
#define TINYCKPT_IMAGE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct budget {
	uint64_t most;		/* bytes; 0: any */
	uint64_t rate;		/* bytes a second; 0: as fast as can be */
	struct timespec began;	/* of the first wait; budget_wait()'s own */
};

/* May there be so many bytes? */
static inline bool budget_allows(const struct budget *b, uint64_t bytes)
{
	return !b->most || bytes <= b->most;
}

/* So many are written: waits until the rate allows them. */
void budget_wait(struct budget *b, uint64_t bytes);

#endif
