/* SPDX-License-Identifier: MIT */
/*
 * The registers beyond the general ones in a signal frame are blocks of a magic number and a length, in a fixed order: that of
 * iWMMXt, or where the thread has none a dummy, from kernels that know iWMMXt, and that of VFP.  All kernels take a frame
 * without the dummy, but those without iWMMXt none with it (arch/arm/kernel/signal.c, asm/ucontext.h).
 */
#include "arch.h"

#include <string.h>

enum {
	DUMMY_MAGIC = (int)0xb0d9ed01,
	VFP_MAGIC = 0x56465001,
	BLOCK_MAX = 512,	/* all of them are in one that long */
	END = 8,		/* a magic number of 0 ends them */
};

struct block {
	int32_t magic;
	uint32_t len;
};

static bool is_block(const uint8_t *at, size_t n, int32_t magic, struct block *b)
{
	if (n < sizeof(*b))
		return false;
	memcpy(b, at, sizeof(*b));
	return b->magic == magic && b->len > sizeof(*b) && b->len < BLOCK_MAX && !(b->len % 8) && b->len <= n;
}

bool arch_frames_settle(uint8_t *stack, uint64_t at, size_t n, uint64_t takes, uint64_t *needs)
{
	bool any = false;

	(void)at, (void)takes, (void)needs;
	for (size_t i = 0; i + 8 <= n; i += 8) {
		struct block dummy, vfp;

		if (!is_block(stack + i, n - i, DUMMY_MAGIC, &dummy) ||
		    !is_block(stack + i + dummy.len, n - i - dummy.len, VFP_MAGIC, &vfp))
			continue;
		memmove(stack + i, stack + i + dummy.len, vfp.len);
		memset(stack + i + vfp.len, 0, dummy.len < END ? dummy.len : END);
		any = true;
	}
	return any;
}
