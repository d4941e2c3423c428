/* SPDX-License-Identifier: MIT */
#include "image/format.h"

#include <elf.h>
#include <stddef.h>

/* The linker's name for the ELF header of the program; its first fields are the same for 32 and 64 bits. */
extern const Elf32_Ehdr __ehdr_start __attribute__((visibility("hidden")));

uint16_t image_own_machine(void)
{
	return __ehdr_start.e_machine;
}

const char *image_machine_name(uint16_t machine)
{
	/* What Linux runs on, to name a foreign image in words; not the list of what tinyckpt supports. */
	static const struct {
		uint16_t machine;
		char name[10];
	} names[] = {
		{ EM_386, "i386" },       { EM_MIPS, "mips" },     { EM_PPC, "powerpc" },   { EM_PPC64, "powerpc64" },
		{ EM_ARM, "arm" },        { EM_X86_64, "x86_64" }, { EM_AARCH64, "aarch64" }, { EM_RISCV, "riscv" },
		{ 258 /* EM_LOONGARCH */, "loongarch" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "unknown";
}
