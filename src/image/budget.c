/* SPDX-License-Identifier: MIT */
#include "image/budget.h"

#include <errno.h>

void budget_wait(struct budget *b, uint64_t bytes)
{
	struct timespec until;

	if (!b->rate)
		return;
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
}
