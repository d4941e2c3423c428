/* SPDX-License-Identifier: MIT */
/* No system call destroys any register here: ARCH_REGSET_LOST is 0, and none of this is called. */
#include "arch.h"

bool arch_lost_lives(const void *lost, size_t len)
{
	(void)lost, (void)len;
	return false;
}

void arch_lost_settle(void *lost)
{
	(void)lost;
}

void arch_frame(uint8_t *to, uintptr_t at, const struct arch_home *home, const void *fp, const void *lost, size_t lost_len)
{
	(void)to, (void)at, (void)home, (void)fp, (void)lost, (void)lost_len;
}
