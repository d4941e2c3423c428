/* SPDX-License-Identifier: MIT */
#include "tree/signal_frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "arch.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/task_memory.h"

enum { PAGE = 4096, DEPTH = 16 * PAGE };

int signal_frames_settle(pid_t pid, uint64_t sp)
{
	CLEANUP_FREE uint8_t *stack = ARCH_FRAMES_VARY ? malloc(DEPTH) : NULL;
	const uint64_t start = sp & ~7ULL;
	size_t n = 0;
	int err;

	if (!ARCH_FRAMES_VARY)
		return 0;
	if (!stack)
		return fail(ENOMEM, "out of memory");
	while (n < DEPTH) {	/* up to the end of the mapping */
		const size_t len = PAGE - (start + n) % PAGE;

		if (len > DEPTH - n || task_read(pid, stack + n, start + n, len))
			break;
		n += len;
	}
	if (!arch_frames_settle(stack, n))
		return 0;
	log_debug("signal frames at %#" PRIx64 ": a dummy of iWMMXt's registers is left out", start);
	err = task_write(pid, start, stack, n);
	return err ? fail_for(err, "signal frames at %#" PRIx64, start) : 0;
}
