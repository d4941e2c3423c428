/* SPDX-License-Identifier: MIT */
/*
 * The way home on aarch64, assembled for one thread.  It may run at any time without a tracer, so nothing of it is ever
 * fixed up from outside while it runs.  Its last jump is a direct branch, since no register is left to hold an address;
 * where that does not reach, x16 leads to another one (arch_near) which does.  rt_sigreturn would need neither, but resets
 * the restart block, and an interrupted nanosleep would return EINTR.
 *
 * Behind the vDSO there may be few bytes, so only that is there which must outlast the area; all other registers come back
 * in the area (arch_leave).
 */
#include "arch.h"

#include <string.h>
#include <sys/syscall.h>

enum { SVC = 0xd4000001, X16 = 16, SP = 31 };

static const uint64_t ALL_SIGNALS = ~0ULL;

struct code {
	uint8_t *to;
	size_t len;
};

static void op(struct code *c, uint32_t instruction)
{
	memcpy(c->to + c->len, &instruction, sizeof(instruction));
	c->len += sizeof(instruction);
}

/* Returns where it lies. */
static size_t data(struct code *c, uint64_t value)
{
	memcpy(c->to + c->len, &value, sizeof(value));
	c->len += sizeof(value);
	return c->len - sizeof(value);
}

static void mov(struct code *c, unsigned int reg, uint32_t value)
{
	op(c, 0xd2800000 | value << 5 | reg);
}

static void mov_shifted(struct code *c, unsigned int reg, uint32_t value)	/* value << 16 */
{
	op(c, 0xd2a00000 | value << 5 | reg);
}

static void mov_not(struct code *c, unsigned int reg, uint32_t value)
{
	op(c, 0x92800000 | value << 5 | reg);
}

static uint32_t distance(const struct code *c, size_t to)
{
	return (uint32_t)((long)to - (long)c->len);
}

/* ldr reg, [pc, #...]: from data that lie in the code */
static void load(struct code *c, unsigned int reg, size_t from)
{
	op(c, 0x58000000 | (distance(c, from) >> 2 & 0x7ffff) << 5 | reg);
}

static void address(struct code *c, unsigned int reg, size_t of)
{
	const uint32_t d = distance(c, of);

	op(c, 0x10000000 | (d & 3) << 29 | (d >> 2 & 0x7ffff) << 5 | reg);
}

static void mov_to_sp(struct code *c, unsigned int reg)
{
	op(c, 0x91000000 | reg << 5 | SP);
}

/* ldp reg, reg + 1, [sp], #16 */
static void pop_two(struct code *c, unsigned int reg)
{
	op(c, 0xa8c10000 | (reg + 1) << 10 | SP << 5 | reg);
}

static void svc(struct code *c, uint32_t nr)
{
	mov(c, 8, nr);
	op(c, SVC);
}

static void branch(struct code *c, uint64_t at, uint64_t to)
{
	op(c, 0x14000000 | (uint32_t)((int64_t)(to - (at + c->len)) >> 2 & 0x3ffffff));
}

/* To the program counter of the thread, or offset bytes behind it. */
static void jump(struct code *c, uintptr_t at, const struct arch_home *home, uint32_t offset)
{
	if (!home->near) {
		branch(c, at, home->regs.pc + offset);
		return;
	}
	if (offset)
		op(c, 0x91000000 | 2 * offset << 10 | X16 << 5 | X16);	/* add: the other branch there */
	op(c, 0xd65f0000 | X16 << 5);	/* ret x16, see blob/blob.h */
}

/*
 * ppoll, pselect6 and sigsuspend return EINTR when a handler has run, and nothing would wake them again if the handler ran just
 * before they are called anew.  ppoll with the thread's own mask and no time tells whether one ran.  x4 keeps the answer over the
 * next call; x0 must be an address, though no descriptor is asked for.  Returns where a thread goes on in which one did.
 */
static size_t ask(struct code *c, size_t mask, size_t zero)
{
	size_t interrupted;

	mov(c, 0, 0);
	mov(c, 1, 0);
	address(c, 2, zero);
	address(c, 3, mask);
	mov(c, 4, 8);
	svc(c, SYS_ppoll);
	op(c, 0xaa0003e4);	/* mov x4, x0 */
	op(c, 0x14000002);	/* b over the next */
	interrupted = c->len;
	mov_not(c, 4, 3);	/* -EINTR */
	return interrupted;
}

size_t arch_home(uint8_t *to, uintptr_t at, const struct arch_home *home, struct arch_way *way)
{
	struct code code = { to, 0 }, *c = &code;
	struct arch_regs final = home->regs;
	const bool nohand = home->call.error == ARCH_ERESTARTNOHAND;
	size_t mask, unmap, old_mask, near, zero, first, nr, skip, over, end;

	if (home->call.error == ARCH_ERESTART_RESTARTBLOCK)
		arch_restart(&final, arch_nr_restart_syscall);

	op(c, SVC);
	skip = c->len;
	op(c, 0);		/* b: over the data */
	memcpy(c->to + c->len, ARCH_HOME_MAGIC, 8);
	c->len += 8;
	mask = data(c, home->frame ? ALL_SIGNALS : home->sigmask);
	unmap = data(c, home->unmap);
	old_mask = data(c, home->old_mask);
	near = data(c, home->frame ? home->frame : home->near);
	first = c->len;		/* what the calls need: x0 to x5, x8 */
	for (int i = 0; i < 6; i++)
		data(c, final.x[i]);
	nr = data(c, final.x[8]);
	zero = c->len;		/* struct timespec {0, 0} */
	if (nohand) {
		data(c, 0);
		data(c, 0);
	}
	way->walk = c->len;
	c->len = skip;
	branch(c, 0, way->walk);
	c->len = way->walk;

	load(c, 0, unmap);
	if (home->unmap_len >> 16)
		mov_shifted(c, 1, (uint32_t)(home->unmap_len >> 16));
	else
		mov(c, 1, (uint32_t)home->unmap_len);
	svc(c, SYS_munmap);
	way->unmask = c->len;

	if (nohand)
		way->interrupted = ask(c, mask, zero);
	else
		way->interrupted = way->unmask;

	mov(c, 0, 2 /* SIG_SETMASK */);
	address(c, 1, mask);
	load(c, 2, old_mask);
	mov(c, 3, 8);
	svc(c, SYS_rt_sigprocmask);
	if (home->frame) {
		load(c, 0, near);
		mov_to_sp(c, 0);
		svc(c, SYS_rt_sigreturn);
		return c->len;
	}

	for (unsigned int i = 1; i < 6; i++)
		if (i != 4)
			load(c, i, first + 8 * i);
	load(c, 8, nr);
	if (home->near)
		load(c, X16, near);
	if (nohand) {
		over = c->len;
		op(c, 0);	/* cbz x4: over the next ones */
		load(c, 4, first + 32);
		mov_not(c, 0, 3);
		jump(c, at, home, ARCH_CALL_BYTES);
		end = c->len;
		c->len = over;
		op(c, 0xb4000004 | (uint32_t)(end - over) >> 2 << 5);
		c->len = end;
	}
	load(c, 4, first + 32);
	load(c, 0, first);
	jump(c, at, home, 0);
	return c->len;
}

size_t arch_near(uint8_t *to, uintptr_t at, const struct arch_home *home)
{
	struct code code = { to, 0 }, *c = &code;

	load(c, X16, 16);
	branch(c, at, home->regs.pc);
	load(c, X16, 16);
	branch(c, at, home->regs.pc + ARCH_CALL_BYTES);
	data(c, home->regs.x[X16]);
	return c->len;
}

bool arch_is_near(const uint8_t *text)
{
	uint32_t op[3];	/* before the program counter, there, and behind it */

	memcpy(op, text + ARCH_NEAR_MAX - sizeof(*op), sizeof(op));
	for (int i = 0; i < 2; i++)	/* ldr x16, [pc + 16 or 8]; b */
		if ((op[i] == 0x58000090 || op[i] == 0x58000050) && op[i + 1] >> 26 == 5)
			return true;
	return false;
}

size_t arch_leave(uint8_t *to, const struct arch_home *home, uintptr_t walk)
{
	struct code code = { to, 0 }, *c = &code;
	const struct arch_regs *regs = &home->regs;
	size_t rest, target;

	op(c, 0);		/* b: over the data */
	op(c, 0);
	target = data(c, walk);
	rest = c->len;		/* aligned to 16: x6, x7, x9 to x30, flags, stack pointer */
	for (int i = 6; i < 31; i++)
		if (i != 8)
			data(c, regs->x[i]);
	data(c, regs->pstate);
	data(c, regs->sp);
	branch(&(struct code){ to, 0 }, 0, c->len);

	/* Two at a time by way of the stack pointer, while every signal is blocked. */
	address(c, 0, rest);
	mov_to_sp(c, 0);
	for (unsigned int i = 6; i < 31; i += i == 6 ? 3 : 2)
		pop_two(c, i);
	pop_two(c, 0);
	op(c, 0xd51b4200);	/* msr nzcv, x0 */
	mov_to_sp(c, 1);
	load(c, 8, target);
	op(c, 0xd65f0100);	/* ret x8 */
	return c->len;
}
