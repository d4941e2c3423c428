/* SPDX-License-Identifier: MIT */
/* What stands in for the functions of a 32-bit ARM vDSO, which may be Thumb code (bit 0 of an address).  Stubs are ARM code. */
#include "arch.h"

#include <stdbool.h>
#include <string.h>

/* asm/unistd.h: C libraries with 64-bit time call some of them otherwise. */
const struct arch_vdso_function arch_vdso_functions[] = {
	{ "clock_gettime", 263 },
	{ "clock_gettime64", 403 },
	{ "gettimeofday", 78 },
	{ "clock_getres", 264 },
	{ "clock_getres_time64", 406 },
	{ "getrandom", 384 },
	{ NULL, 0 },
};

size_t arch_vdso_entry(uint8_t *to, uintptr_t entry, uintptr_t stub)
{
	uintptr_t at = entry & ~1UL;
	size_t len = 0;
	uint32_t b;

	if (entry & 1) {
		if (at & 2) {
			memcpy(to, "\x00\xbf", 2);	/* nop */
			len += 2;
		}
		memcpy(to + len, "\x78\x47\xc0\x46", 4);	/* bx pc; nop: the next word is ARM code */
		len += 4;
		at += len;
	}
	b = 0xea000000 | ((uint32_t)(stub - at - 8) >> 2 & 0xffffff);
	memcpy(to + len, &b, sizeof(b));
	return len + sizeof(b);
}

size_t arch_vdso_stub(uint8_t *to, uintptr_t function, uintptr_t third, long call)
{
	const uint32_t go[] = { 0xe59f2000, 0xe59ff000, third, function };	/* ldr r2, pc + 8; ldr pc, pc + 8 */
	const uint32_t go_plainly[] = { 0xe51ff004, function };			/* ldr pc, pc + 4 */
	const uint32_t make[] = {
		0xe52d7004,	/* push {r7} */
		0xe3007000 | ((uint32_t)call & 0xf000) << 4 | ((uint32_t)call & 0xfff),	/* movw r7, #call */
		0xef000000,	/* svc 0 */
		0xe49d7004,	/* pop {r7} */
		0xe12fff1e,	/* bx lr */
	};
	const uint32_t fail[] = { 0xe3e00025, 0xe12fff1e };	/* mvn r0, #37; bx lr */
	const uint32_t *code = !function ? call >= 0 ? make : fail : third ? go : go_plainly;
	const size_t len = !function ? call >= 0 ? sizeof(make) : sizeof(fail) : third ? sizeof(go) : sizeof(go_plainly);

	memcpy(to, code, len);
	return len;
}

bool arch_may_be_frame_pc(const unsigned long *word)
{
	const unsigned long sp = word[-2], cpsr = word[1];

	return sp && !(sp & 3) && (cpsr & 0x1f) == 0x10;	/* of a user's program */
}
