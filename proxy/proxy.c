/* SPDX-License-Identifier: MIT */
/*
 * The only function of a blob that lies in a workload's memory and is called by it, in the place of its vDSO's: clock_gettime()
 * for a tree whose clocks go on where the kernel has no time namespace to see to that.
 */
#include "proxy.h"
#include "blob.h"

enum { MONOTONIC = 1, MONOTONIC_RAW = 4, MONOTONIC_COARSE = 6, BOOTTIME = 7, BOOTTIME_ALARM = 9, SECOND = 1000000000 };

static const struct proxy_offset *offset_of(const struct proxy_clock *p, int clock)
{
	switch (clock) {
	case MONOTONIC:
	case MONOTONIC_RAW:
	case MONOTONIC_COARSE:
		return &p->monotonic;
	case BOOTTIME:
	case BOOTTIME_ALARM:
		return &p->boottime;
	default:
		return 0;
	}
}

static void add(int64_t *seconds, int32_t *nanoseconds, const struct proxy_offset *by)
{
	*seconds += by->seconds;
	*nanoseconds += by->nanoseconds;
	if (*nanoseconds >= SECOND) {
		*nanoseconds -= SECOND;
		++*seconds;
	}
}

__attribute__((section(".text.entry"), used)) long blob_entry(long clock, void *time, const struct proxy_clock *p)
{
	const long a[6] = { clock, (long)time };
	long (*function)(long clock, void *time) = (long (*)(long, void *))(uintptr_t)p->function;
	const long ret = function ? (int)function(clock, time) : blob_syscall(p->call, a);
	const struct proxy_offset *by = offset_of(p, (int)clock);
	int64_t seconds;
	int32_t nanoseconds;

	if (ret || !by)
		return ret;
	if (p->narrow) {
		int32_t *t = time;

		seconds = t[0];
		nanoseconds = t[1];
		add(&seconds, &nanoseconds, by);
		t[0] = (int32_t)seconds;
		t[1] = nanoseconds;
	} else {
		int64_t *t = time;

		seconds = t[0];
		nanoseconds = (int32_t)t[1];
		add(&seconds, &nanoseconds, by);
		t[0] = seconds;
		t[1] = nanoseconds;
	}
	return 0;
}
