/* SPDX-License-Identifier: MIT */
#include "arch.h"

#include <sys/auxv.h>
#include <sys/prctl.h>

#include "config.h"

/* asm/hwcap.h, linux/auxvec.h, linux/prctl.h; some are newer than the headers that one may have to build with */
enum {
	SSBS = 1 << 28,
	HWCAP3 = 29,
	SVE_SET_VL = 50, SVE_GET_VL = 51, SME_SET_VL = 63, SME_GET_VL = 64,
	VL_LEN_MASK = 0xffff, VL_MAX = 256, VL_STEP = 16,	/* bytes */
};

/*
 * The vector lengths that there are: bit N for 128 bits times N + 1.  The kernel takes the next smaller one that there is,
 * or else the smallest.
 */
static uint64_t vector_lengths(int get, int set)
{
	const int was = prctl(get, 0, 0, 0, 0);
	uint64_t lengths = 0;

	if (was < 0)
		return 0;
	for (int want = VL_MAX, got; want; want = got - VL_STEP) {
		got = prctl(set, want, 0, 0, 0);
		if (got < 0 || (got & VL_LEN_MASK) > want)
			break;
		got &= VL_LEN_MASK;
		lengths |= 1ULL << (got / VL_STEP - 1);
	}
	prctl(set, was, 0, 0, 0);
	return lengths;
}

void arch_features(uint64_t words[ARCH_FEATURE_WORDS])
{
	/* newer kernels hide ssbs from some processors, where programs go on using it */
	words[0] = getauxval(AT_HWCAP) & ~(uint64_t)SSBS;
	words[1] = getauxval(AT_HWCAP2);
	words[2] = getauxval(HWCAP3);
	words[3] = vector_lengths(SVE_GET_VL, SVE_SET_VL);
	words[4] = vector_lengths(SME_GET_VL, SME_SET_VL);
	words[ARCH_FRAME_WORD] = IS_ON_VDSO_PROXY ? arch_frames_taken() : ~0ULL; /* else images come back under the same kernel only */
}
