/* SPDX-License-Identifier: MIT */
/*
 * The page that kernels have signals return through holds the same code after every boot, but at another place, from 0x200 to
 * 0x9fc (get_signal_page() of arch/arm/kernel/signal.c); 64-bit kernels have it at 0.  Handlers may be in the page's ARM or Thumb
 * code next, of sigreturn(2) or of rt_sigreturn(2).
 *
 * So all of that is zeros, which do nothing of harm in ARM state (andeq r0, r0, r0) nor in Thumb state (movs r0, r0), and all
 * ways lead to code behind them.  It tells the two kinds of frames apart as unwinders do: by the first word, which is a mark
 * or else the signal's number.  Registers come back with the frame.
 */
#include "arch.h"

#include <string.h>

void arch_signal_page(uint8_t *page)
{
	static const uint32_t code[] = {
		0x00004778,	/* Thumb: bx pc, which leads to the next word; ARM: andeq r4, r0, r8, ror r7 */
		0xe59d7000,	/* ldr r7, [sp] */
		0xe59f600c,	/* ldr r6, the last word */
		0xe1570006,	/* cmp r7, r6 */
		0x03a07077,	/* moveq r7, #sigreturn */
		0x13a070ad,	/* movne r7, #rt_sigreturn */
		0xef000000,	/* svc 0 */
		0x5ac3c35a,	/* uc_flags of a frame without struct siginfo */
	};

	_Static_assert(0x9fc + 17 * 4 <= ARCH_SIGNAL_PAGE - sizeof(code), "behind all that a kernel may have there");
	memset(page, 0, ARCH_SIGNAL_PAGE - sizeof(code));
	memcpy(page + ARCH_SIGNAL_PAGE - sizeof(code), code, sizeof(code));
}
