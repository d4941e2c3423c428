/* SPDX-License-Identifier: MIT */
#include "image/budget.h"

#include <errno.h>
#include <inttypes.h>

#include "base/log.h"

int budget_spend(struct budget *b, uint64_t bytes)
{
	struct timespec until;

	if (b->most && bytes > b->most)
		return fail(EFBIG, "the image would have more than the %" PRIu64 " bytes that --max-size allows", b->most);
	if (!b->rate)
		return 0;
	if (!b->began.tv_sec && !b->began.tv_nsec)
		clock_gettime(CLOCK_MONOTONIC, &b->began);
	until = b->began;
	until.tv_sec += (time_t)(bytes / b->rate);
	until.tv_nsec += (long)(bytes % b->rate * 1000000000 / b->rate);
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
	return 0;
}
