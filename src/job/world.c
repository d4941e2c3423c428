/* SPDX-License-Identifier: MIT */
#include "job/world.h"

#include <stddef.h>
#include <sys/resource.h>

#include "kernel/abi.h"

uint32_t world_begin(uint32_t highest_fd)
{
	enum { OWN = 32 };

	return highest_fd < OWN ? OWN : highest_fd + 1;
}

uint64_t world_room(void)
{
	enum { NR_OPEN = 1 << 20 };	/* the most, unless the system has it otherwise: proc(5), fs/nr_open */
	struct rlimit limit, most = { NR_OPEN, NR_OPEN };

	/* prlimit(2), as musl's setrlimit brings half a KiB along */
	if (prlimit(0, RLIMIT_NOFILE, NULL, &limit))
		return NR_OPEN;
	if (limit.rlim_max >= NR_OPEN || prlimit(0, RLIMIT_NOFILE, &most, NULL)) {	/* that takes CAP_SYS_RESOURCE */
		most.rlim_cur = most.rlim_max = limit.rlim_max;
		if (limit.rlim_cur < limit.rlim_max && prlimit(0, RLIMIT_NOFILE, &most, NULL))
			return limit.rlim_cur;
	}
	return most.rlim_cur;
}
