/* SPDX-License-Identifier: MIT */
/*
 * The way home on armv7, assembled for one thread.  It is in ARM state, whatever the thread was in; the load of the
 * program counter that ends it goes back to Thumb state where bit 0 says so.  It may run at any time without a tracer,
 * so nothing of it is ever fixed up from outside while it runs.  rt_sigreturn is not used: the kernel's resets the
 * restart block, and an interrupted nanosleep would return EINTR.
 */
#include "arch.h"

#include <string.h>

enum { PC_AHEAD = 8, THUMB = 1 << 5, NOT_INTERRUPTED = 0, INTERRUPTED = 1, EINTR_ = 4 };

/* What the code loads lies before it, as far as ARCH_HOME_MAGIC branches. */
struct data {
	uint32_t svc;
	uint8_t magic[8];
	uint32_t unmap, unmap_len, cpsr, sp, old_mask;
	uint32_t mask[2];
	uint32_t zero[4];	/* struct timespec, of 64 bits */
	uint32_t regs[13];	/* r1 to r12, lr */
	struct {
		uint32_t r0, pc;
	} last[2];		/* NOT_INTERRUPTED, INTERRUPTED: as far apart as -EINTR has a bit */
};

_Static_assert(sizeof(struct data) == 12 + 28 * 4, "ARCH_HOME_MAGIC branches over 28 words");
_Static_assert((-EINTR_ & 8) == 8, "a result tells which of the last pairs is meant");

struct code {
	uint8_t *to;
	size_t len;
};

static void put(struct code *c, uint32_t instruction)
{
	memcpy(c->to + c->len, &instruction, sizeof(instruction));
	c->len += sizeof(instruction);
}

/* Registers as they stand in an instruction: destination, and base where there is one. */
enum { R0, R1, R2, R3, R4, R6 = 6, R7 = 7, SP = 13, LR = 14, PC = 15 };

static uint32_t back_to(const struct code *c, size_t offset)
{
	return (uint32_t)(c->len + PC_AHEAD - offset);
}

/* ldr rd, [pc, #-...] */
#define LOAD(c, rd, member) put(c, 0xe51f0000 | (rd) << 12 | back_to(c, offsetof(struct data, member)))

/* sub rd, pc, #...: the address of a member; the whole is shorter than the 255 bytes that it reaches */
#define ADDRESS(c, rd, member) put(c, 0xe24f0000 | (rd) << 12 | back_to(c, offsetof(struct data, member)))

/* movw rd, #value */
static void move(struct code *c, uint32_t rd, uint32_t value)
{
	put(c, 0xe3000000 | (value & 0xf000) << 4 | rd << 12 | (value & 0xfff));
}

static const uint32_t SVC = 0xef000000;

static void call(struct code *c, uint32_t nr)
{
	move(c, R7, nr);
	put(c, SVC);
}

size_t arch_home(uint8_t *to, uintptr_t at, const struct arch_home *home, struct arch_way *way)
{
	struct code code = { to, sizeof(struct data) }, *c = &code;
	struct arch_regs final = home->regs;
	const uint32_t thumb = final.cpsr & THUMB ? 1 : 0;
	struct data d = {
		.svc = SVC, .magic = ARCH_HOME_MAGIC, .unmap = home->unmap, .unmap_len = home->unmap_len,
		.cpsr = final.cpsr, .sp = final.r[SP], .old_mask = home->old_mask,
		.mask = { (uint32_t)home->sigmask, (uint32_t)(home->sigmask >> 32) },
	};
	const bool nohand = home->call.error == ARCH_ERESTARTNOHAND;

	(void)at;	/* all of it is relative to the program counter */
	if (home->call.error == ARCH_ERESTART_RESTARTBLOCK)
		arch_restart(&final, arch_nr_restart_syscall);
	memcpy(d.regs, &final.r[1], 12 * sizeof(*d.regs));
	d.regs[12] = final.r[LR];
	d.last[NOT_INTERRUPTED].r0 = final.r[0];
	d.last[NOT_INTERRUPTED].pc = final.r[PC] | thumb;
	d.last[INTERRUPTED].r0 = (uint32_t)-EINTR_;
	d.last[INTERRUPTED].pc = arch_behind_call(&final) | thumb;
	memcpy(to, &d, sizeof(d));

	way->walk = c->len;
	LOAD(c, R0, unmap);
	LOAD(c, R1, unmap_len);
	call(c, SYS_munmap);
	LOAD(c, R0, cpsr);
	put(c, 0xe12cf000 | R0);	/* msr APSR_nzcvqg, r0 */
	LOAD(c, SP, sp);
	way->unmask = c->len;

	/*
	 * pause, select and their kin return EINTR when a handler has run, and nothing would wake them again if the
	 * handler ran just before they are called anew.  ppoll with the thread's own mask and no time tells whether
	 * one ran.  r6 keeps the answer over the next call.
	 */
	if (nohand) {
		move(c, R0, 0);
		move(c, R1, 0);
		ADDRESS(c, R2, zero);
		ADDRESS(c, R3, mask);
		move(c, R4, 8);
		call(c, SYS_ppoll_time64);
		put(c, 0xe1a06000);	/* mov r6, r0 */
		put(c, 0xea000000);	/* b over the next */
		way->interrupted = c->len;
		put(c, 0xe3e06003);	/* mvn r6, #3: -EINTR */
	} else {
		way->interrupted = way->unmask;
	}

	move(c, R0, 2 /* SIG_SETMASK */);
	ADDRESS(c, R1, mask);
	LOAD(c, R2, old_mask);
	move(c, R3, 8);
	call(c, SYS_rt_sigprocmask);

	/* No instruction below or above, but for msr, touches a flag. */
	ADDRESS(c, R0, last);
	if (nohand) {
		put(c, 0xe2061008);	/* and r1, r6, #8 */
		put(c, 0xe0800001);	/* add r0, r0, r1 */
	}
	ADDRESS(c, LR, regs);
	put(c, 0xe89e5ffe);	/* ldmia lr, {r1-r12, lr} */
	put(c, 0xe8908001);	/* ldmia r0, {r0, pc} */
	return c->len;
}

size_t arch_near(uint8_t *to, uintptr_t at, const struct arch_home *home)
{
	(void)to, (void)at, (void)home;
	return 0;	/* a load of the program counter reaches everything */
}

bool arch_is_near(const uint8_t *text)
{
	(void)text;
	return false;
}

size_t arch_leave(uint8_t *to, const struct arch_home *home, uintptr_t walk)
{
	(void)to, (void)home, (void)walk;
	return 0;
}
