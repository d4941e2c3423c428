/* SPDX-License-Identifier: MIT */
/* What an image may cost: bytes in all, and bytes a second, for flash that is slow or shared. */
#ifndef TINYCKPT_IMAGE_BUDGET_H
#define TINYCKPT_IMAGE_BUDGET_H

#include <stdint.h>
#include <time.h>

struct budget {
	uint64_t most;		/* bytes; 0: any */
	uint64_t rate;		/* bytes a second; 0: as fast as can be */
	struct timespec began;	/* of the first wait; the functions' own */
};

/*
 * So many bytes of the image are to be there next: waits until the rate allows them.  0, or -EFBIG (said): there would be too
 * many.
 */
int budget_spend(struct budget *b, uint64_t bytes);

#endif
