/* SPDX-License-Identifier: MIT */
/* CLOCK_MONOTONIC and CLOCK_BOOTTIME, and what time namespaces add to them (time_namespaces(7)). */
#ifndef TINYCKPT_KERNEL_TIMENS_H
#define TINYCKPT_KERNEL_TIMENS_H

#include <stdint.h>
#include <sys/types.h>

struct two_clocks {
	int64_t monotonic, boottime;	/* ns */
};

/* The longest time of a timer in an image, ns (73 years; beyond half of it they are cut): added to any clock it is still one. */
static const uint64_t TIME_MAX = INT64_MAX / 4;

/* Before that no tinyckpt was there: a CLOCK_REALTIME that shows less, in ns, was not set (2025-01-01). */
static const int64_t CLOCK_NOT_SET = 1735689600LL * 1000000000;

/* What a clock shows to us, in ns. */
int64_t clock_now(int id);

/*
 * What both clocks show to the children that process pid will have, beyond what they show outside of all time namespaces; 0
 * where the kernel has no such namespaces.  0 or a negative errno, unsaid.
 */
int timens_offsets(pid_t pid, struct two_clocks *offsets);

/* What they show now, outside of all time namespaces; *here: CLOCK_MONOTONIC at that moment, to us.  0 or a negative errno, unsaid. */
int timens_machine(struct two_clocks *now, int64_t *here);

/* Can children of the caller, who has no threads, have a time namespace of their own?  0 or a negative errno, unsaid. */
int timens_try(void);

/* The children that the caller has from now on live in a new one, with those offsets.  0 or a negative errno, unsaid. */
int timens_make(const struct two_clocks *offsets);

#endif
