/* SPDX-License-Identifier: MIT */
#include "arch.h"

#include <sys/auxv.h>
#include <unistd.h>

/* Documentation/arch/riscv/hwprobe.rst */
struct pair {
	int64_t key;
	uint64_t value;
};
enum { NR_RISCV_HWPROBE = 258, BASE_BEHAVIOR = 3, IMA_EXT_0 = 4 };

/*
 * Of these only newer kernels tell (6.15, 6.16), whatever the processor: the halves of `a`, which is told by itself, and
 * counters, which programs read by the kernel's leave.  They are taken to be there, so that an image made under a newer
 * kernel comes back under an older one.
 */
#define ZICNTR (1ULL << 50)
#define ZIHPM (1ULL << 51)
#define ZAAMO (1ULL << 56)
#define ZALRSC (1ULL << 57)

/* Bytes in a vector register; asked of a processor that has none it would be an illegal instruction. */
static unsigned long vector_bytes(void)
{
	unsigned long bytes = 0;

	if (getauxval(AT_HWCAP) >> ('v' - 'a') & 1)
		__asm__ volatile("csrr %0, 0xc22" : "=r"(bytes));	/* vlenb */
	return bytes;
}

void arch_features(uint64_t words[ARCH_FEATURE_WORDS])
{
	struct pair pairs[] = { { BASE_BEHAVIOR, 0 }, { IMA_EXT_0, 0 } };

	/* what all processors have; a kernel before 6.4 does not know the call */
	syscall(NR_RISCV_HWPROBE, pairs, 2UL, 0UL, 0UL, 0UL);
	words[0] = getauxval(AT_HWCAP);
	words[1] = pairs[0].value;
	words[2] = pairs[1].value | ZICNTR | ZIHPM | (words[0] & 1 ? ZAAMO | ZALRSC : 0);
	words[3] = vector_bytes();	/* a power of two: the one bit of a machine with the same length */
}
