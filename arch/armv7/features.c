/* SPDX-License-Identifier: MIT */
#include "arch.h"

#include <sys/auxv.h>

/*
 * A 64-bit kernel tells the same of the same processor, but for what every armv7 has or a kernel emulates (swp, half,
 * 26bit, fastmult, fpa, edsp, java), and vfpd32, which NEON takes.  VFPv3-D16 is a lack, not a feature.
 */
void arch_features(uint64_t words[ARCH_FEATURE_WORDS])
{
	enum {
		SWP = 1 << 0, HALF = 1 << 1, BIT26 = 1 << 3, FAST_MULT = 1 << 4, FPA = 1 << 5, EDSP = 1 << 7, JAVA = 1 << 8,
		NEON = 1 << 12, VFPV3D16 = 1 << 14, VFPD32 = 1 << 19,
	};

	words[0] = getauxval(AT_HWCAP) & ~(unsigned long)(SWP | HALF | BIT26 | FAST_MULT | FPA | EDSP | JAVA | VFPV3D16);
	words[0] |= words[0] & NEON ? VFPD32 : 0;
	words[1] = getauxval(AT_HWCAP2);
}
