/* SPDX-License-Identifier: MIT */
/* What of an x86_64 processor programs may use: they, too, ask cpuid for it. */
#include "arch.h"

#include <sys/auxv.h>

enum { EAX, EBX, ECX, EDX, REGISTERS };

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t reg[REGISTERS])
{
	__asm__ volatile("cpuid" : "=a"(reg[EAX]), "=b"(reg[EBX]), "=c"(reg[ECX]), "=d"(reg[EDX]) : "a"(leaf), "c"(subleaf));
}

/* XCR0: which parts of the register state the kernel lets programs use; 0 without XSAVE */
static uint64_t xcr0(void)
{
	uint32_t reg[REGISTERS], high;

	cpuid(1, 0, reg);
	if (!(reg[ECX] >> 27 & 1))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(reg[EAX]), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | reg[EAX];
}

void arch_features(uint64_t words[ARCH_FEATURE_WORDS])
{
	/*
	 * without: what only a kernel can use, or what tells of a property and not of an ability; firmware and microcode may
	 * change it.  What is not known yet counts.
	 */
	static const struct {
		uint32_t leaf, without;
		uint8_t subleaf, reg;
	} sources[] = {
		{ 1, 0x8126cdfc, 0, ECX }, { 7, 0x0250b4c6, 0, EBX }, { 7, 0xc13f2004, 0, ECX }, { 7, 0xfc0cae00, 0, EDX },
		{ 7, 0x485e0140, 1, EAX }, { 7, 0x00040000, 1, EDX }, { 13, 0x8, 1, EAX }, { 0x80000001, 0x1dca361e, 0, ECX },
		{ 0x80000001, 0x35bfffff, 0, EDX }, { 0x80000008, 0xfffffeea, 0, EBX },
	};
	uint32_t last[2][REGISTERS], reg[REGISTERS];

	*words++ = xcr0();
	*words++ = getauxval(AT_HWCAP2);
	/* no more often than needed: in a virtual machine each takes microseconds */
	cpuid(0, 0, last[0]);
	cpuid(1U << 31, 0, last[1]);
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		const uint32_t leaf = sources[i].leaf;

		if (!i || leaf != sources[i - 1].leaf || sources[i].subleaf != sources[i - 1].subleaf)
			cpuid(leaf, sources[i].subleaf, reg);
		*words++ = last[leaf >> 31][EAX] >= leaf ? reg[sources[i].reg] & ~sources[i].without : 0;
	}
}
