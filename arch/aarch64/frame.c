/* SPDX-License-Identifier: MIT */
/* The signal frame of aarch64 (arch/arm64/kernel/signal.c, asm/sigcontext.h, asm/ptrace.h). */
#include "arch.h"

#include <string.h>

enum { FPSIMD_MAGIC = 0x46508001, SVE_MAGIC = 0x53564501, EXTRA_MAGIC = 0x45585401, NO_STACK = 0xff };

/* NT_PRFPREG */
struct fpsimd_regset {
	uint8_t v[512];
	uint32_t fpsr, fpcr;
};

struct record {
	uint32_t magic, size;
};

struct frame {
	uint8_t siginfo[128];
	uint64_t uc_flags, uc_link;
	struct {
		uint64_t sp;
		int32_t flags, pad;
		uint64_t size;
	} stack;
	uint64_t sigmask, sigmask_pad[15];
	uint64_t alignment;
	uint64_t fault_address;
	struct arch_regs regs;
	uint64_t alignment2;
	struct {
		struct record record;
		uint32_t fpsr, fpcr;
		uint8_t v[512];
	} fpsimd;
	struct {	/* what follows is no part of the fixed area and may be larger */
		struct record record;
		uint64_t datap;
		uint32_t size, reserved[3];
		struct record end;
		uint64_t alignment;
	} extra;
	struct {
		struct record record;
		uint16_t vl, flags, reserved[2];
		uint8_t data[];
	} sve;
};
_Static_assert(offsetof(struct frame, fault_address) == 304 && offsetof(struct frame, fpsimd) == 592 &&
		       offsetof(struct frame, sve) == 592 + 528 + 32 + 16,
	       "as the kernel has them");

/* A call leaves nothing but zeros, in what the kernel may go on to hand out as SVE's. */
bool arch_lost_lives(const void *lost, size_t len)
{
	enum { SHORT = 16, VECTORS = 32 };	/* bytes of each Z that NT_PRFPREG has, too */
	const struct sve_header *sve = lost;
	const uint8_t *byte = (const uint8_t *)(sve + 1);
	bool lives = false;

	for (size_t i = 0; !lives && sve->flags & SVE_REGS_SVE && i < len - sizeof(*sve); i++)
		lives = byte[i] && (i >= VECTORS * (size_t)sve->vl || i % sve->vl >= SHORT);
	return lives;
}

void arch_lost_settle(void *lost)
{
	(void)lost;
}

void arch_frame(uint8_t *to, uintptr_t at, const struct arch_home *home, const void *fp, const void *lost, size_t lost_len)
{
	const struct sve_header *sve = lost;	/* behind it Z, P and FFR */
	const struct fpsimd_regset *fpsimd = fp;
	const size_t len = lost_len ? sve->vl * 34U + sve->vl / 8U : 0;	/* 32 of Z; 16 of P, and FFR, of an eighth of that */
	struct frame *f = (struct frame *)(void *)to;

	memset(to, 0, ARCH_FRAME_BYTES(lost_len));	/* the last record has neither magic nor size */
	f->stack.flags = NO_STACK;	/* none that there is: the kernel leaves the signal stack as it is */
	f->sigmask = home->sigmask;
	f->regs = home->regs;
	f->fpsimd.record = (struct record){ FPSIMD_MAGIC, sizeof(f->fpsimd) };
	f->fpsimd.fpsr = fpsimd->fpsr;
	f->fpsimd.fpcr = fpsimd->fpcr;
	memcpy(f->fpsimd.v, fpsimd->v, sizeof(f->fpsimd.v));
	if (!len)
		return;
	f->sve.record = (struct record){ SVE_MAGIC, (uint32_t)(sizeof(f->sve) + len + 15) & ~15U };
	f->extra.record = (struct record){ EXTRA_MAGIC, offsetof(__typeof__(f->extra), end) };
	f->extra.datap = at + offsetof(struct frame, sve);
	f->extra.size = f->sve.record.size + 16;
	f->sve.vl = sve->vl;
	memcpy(f->sve.data, sve + 1, len);
}
