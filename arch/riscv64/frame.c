/* SPDX-License-Identifier: MIT */
/* The signal frame of riscv64 (arch/riscv/kernel/signal.c, asm/ucontext.h, asm/sigcontext.h, asm/ptrace.h). */
#include "arch.h"

#include <string.h>

/* NT_RISCV_VECTOR: struct __riscv_v_regset_state, and behind it the registers. */
struct vector_regset {
	uint64_t vstart, vl, vtype, vcsr, vlenb;
};

enum { RISCV_V_MAGIC = 0x53465457, NO_STACK = 0xff, FP_BYTES = 264 /* struct __riscv_d_ext_state */ };

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
	struct arch_regs regs;
	uint8_t fp[520];	/* a union: for all precisions; its last bytes are those that follow here */
	struct record record;
	struct vector_regset vector;
	uint64_t datap;
	uint8_t data[];
};
_Static_assert(offsetof(struct frame, regs) == 304 && offsetof(struct frame, vector) == 1088, "as the kernel has them");
_Static_assert(sizeof(struct frame) + sizeof(struct record) <= ARCH_FRAME_BYTES(sizeof(struct vector_regset)), "");

static const uint64_t VILL = 1ULL << 63;	/* of vtype: there is no type */

/* The set is there once a thread has used vectors.  A call leaves all bits set, and no type. */
bool arch_lost_lives(const void *lost, size_t len)
{
	const uint8_t *byte = lost;
	bool lives = !(((const struct vector_regset *)lost)->vtype & VILL);

	for (size_t i = sizeof(struct vector_regset); !lives && i < len; i++)
		lives = byte[i] != 0xff;
	return lives;
}

/* Who has no type can use vectors only as a whole, which has not to do with the type. */
void arch_lost_settle(void *lost)
{
	struct vector_regset *v = lost;

	if (v->vtype & VILL)
		v->vtype = v->vl = 0;
}

void arch_frame(uint8_t *to, uintptr_t at, const struct arch_home *home, const void *fp, const void *lost, size_t lost_len)
{
	struct frame *f = (struct frame *)(void *)to;

	memset(to, 0, ARCH_FRAME_BYTES(lost_len));	/* the last record has neither magic nor size */
	f->stack.flags = NO_STACK;	/* none that there is: the kernel leaves the signal stack as it is */
	f->sigmask = home->sigmask;
	f->regs = home->regs;
	memcpy(f->fp, fp, FP_BYTES);
	if (lost_len < sizeof(f->vector))
		return;
	f->record = (struct record){ RISCV_V_MAGIC, (uint32_t)(sizeof(*f) - offsetof(struct frame, record) + lost_len - sizeof(f->vector)) };
	memcpy(&f->vector, lost, sizeof(f->vector));
	f->datap = at + sizeof(*f);
	memcpy(f->data, (const uint8_t *)lost + sizeof(f->vector), lost_len - sizeof(f->vector));
}
