/* SPDX-License-Identifier: MIT */
/*
 * The way home on riscv64, assembled for one thread.  It may run at any time without a tracer, so nothing of it is ever
 * fixed up from outside while it runs.  Its last jump needs no register, since none is left to hold an address; where that
 * does not reach, t0 leads to another one (arch_near) which does.  rt_sigreturn would need neither, but resets the restart
 * block, and an interrupted nanosleep would return EINTR.
 *
 * Behind the vDSO there may be few bytes, so only that is there which must outlast the area; all other registers come back
 * in the area (arch_leave).  a5 is the base of the data until it gets its own value back, last of all.
 */
#include "arch.h"

#include <string.h>
#include <sys/syscall.h>

enum { ECALL = 0x73, SP = 2, T0 = 5, A0 = 10, A1, A2, A3, A4, A5, A7 = 17 };

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

static void short_op(struct code *c, unsigned int instruction)
{
	const uint16_t half = (uint16_t)instruction;

	memcpy(c->to + c->len, &half, sizeof(half));
	c->len += sizeof(half);
}

/* Returns where it lies. */
static size_t data(struct code *c, uint64_t value)
{
	memcpy(c->to + c->len, &value, sizeof(value));
	c->len += sizeof(value);
	return c->len - sizeof(value);
}

/* c.li: -32 to 31 */
static void li_short(struct code *c, unsigned int reg, int value)
{
	short_op(c, 0x4001 | reg << 7 | ((unsigned int)value & 0x1f) << 2 | ((unsigned int)value >> 5 & 1) << 12);
}

static void addi(struct code *c, unsigned int to, unsigned int reg, uint32_t value)
{
	op(c, 0x13 | to << 7 | reg << 15 | value << 20);
}

/* reg = where the code begins */
static void base(struct code *c, unsigned int reg)
{
	const uint32_t here = (uint32_t)c->len;

	op(c, 0x17 | reg << 7);	/* auipc reg, 0 */
	addi(c, reg, reg, (uint32_t)-here & 0xfff);
}

static void load(struct code *c, unsigned int to, unsigned int reg, size_t from)
{
	op(c, 0x3003 | to << 7 | reg << 15 | (uint32_t)from << 20);
}

/* From data that lie less than 2 KiB before. */
static void load_near(struct code *c, unsigned int to, size_t from)
{
	const size_t here = c->len;

	op(c, 0x17 | to << 7);	/* auipc to, 0 */
	load(c, to, to, (from - here) & 0xfff);
}

static void ecall(struct code *c, uint32_t nr)
{
	addi(c, A7, 0, nr);
	op(c, ECALL);
}

static void jal(struct code *c, uint64_t at, uint64_t to)
{
	const uint32_t d = (uint32_t)(to - (at + c->len));

	op(c, 0x6f | (d & 0xff000) | (d >> 11 & 1) << 20 | (d >> 1 & 0x3ff) << 21 | (d >> 20 & 1) << 31);
}

static void c_jr(struct code *c, unsigned int reg)
{
	short_op(c, 0x8002 | reg << 7);
}

/* To the program counter of the thread, or behind its call. */
static void jump(struct code *c, uintptr_t at, const struct arch_home *home, bool behind)
{
	if (!home->near) {
		jal(c, at, home->regs.x[0] + (behind ? ARCH_CALL_BYTES : 0));
		return;
	}
	if (behind)
		short_op(c, 0x0281 | 12 << 2);	/* c.addi t0, 12: the other jump there */
	c_jr(c, T0);
}

/*
 * ppoll, pselect6 and sigsuspend return EINTR when a handler has run, and nothing would wake them again if the handler ran just
 * before they are called anew.  ppoll with the thread's own mask and no time tells whether one ran.  a4 keeps the answer over the
 * next call; a0 must be an address, though no descriptor is asked for.  Returns where a thread goes on in which one did.
 */
static size_t ask(struct code *c, size_t mask, size_t zero)
{
	size_t over, interrupted, end;

	li_short(c, A0, 0);
	li_short(c, A1, 0);
	addi(c, A2, A5, (uint32_t)zero);
	addi(c, A3, A5, (uint32_t)mask);
	li_short(c, A4, 8);
	ecall(c, SYS_ppoll);
	short_op(c, 0x8002 | A4 << 7 | A0 << 2);	/* c.mv a4, a0 */
	over = c->len;
	short_op(c, 0);
	interrupted = c->len;
	base(c, A5);
	li_short(c, A4, -4 /* EINTR */);
	end = c->len;
	c->len = over;
	short_op(c, 0xa001 | (unsigned int)(end - over) >> 1 << 3);	/* c.j, less than 16 bytes */
	c->len = end;
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

	op(c, ECALL);
	skip = c->len;
	op(c, 0);		/* j: over the data */
	memcpy(c->to + c->len, ARCH_HOME_MAGIC, 8);
	c->len += 8;
	mask = data(c, home->frame ? ALL_SIGNALS : home->sigmask);
	unmap = data(c, home->unmap);
	old_mask = data(c, home->old_mask);
	near = data(c, home->frame ? home->frame : home->near);
	first = c->len;		/* what the calls need: a0 to a5, a7 */
	for (int i = 0; i < 6; i++)
		data(c, final.x[A0 + i]);
	nr = data(c, final.x[A7]);
	zero = c->len;		/* struct timespec {0, 0} */
	if (nohand) {
		data(c, 0);
		data(c, 0);
	}
	way->walk = c->len;
	c->len = skip;
	jal(c, 0, way->walk);
	c->len = way->walk;

	load_near(c, A0, unmap);
	op(c, 0x37 | A1 << 7 | (uint32_t)home->unmap_len);	/* lui: a multiple of 4096 */
	ecall(c, SYS_munmap);
	way->unmask = c->len;

	base(c, A5);
	if (nohand)
		way->interrupted = ask(c, mask, zero);
	else
		way->interrupted = way->unmask;

	li_short(c, A0, 2 /* SIG_SETMASK */);
	addi(c, A1, A5, (uint32_t)mask);
	load(c, A2, A5, old_mask);
	li_short(c, A3, 8);
	ecall(c, SYS_rt_sigprocmask);
	if (home->frame) {
		load(c, SP, A5, near);
		ecall(c, SYS_rt_sigreturn);
		return c->len;
	}

	for (unsigned int i = 1; i < 4; i++)
		load(c, A0 + i, A5, first + 8 * i);
	load(c, A7, A5, nr);
	if (home->near)
		load(c, T0, A5, near);
	if (nohand) {
		over = c->len;
		short_op(c, 0);
		load(c, A4, A5, first + 32);
		li_short(c, A0, -4);
		load(c, A5, A5, first + 40);
		jump(c, at, home, true);
		end = c->len;
		c->len = over;
		short_op(c, 0xc301 | (unsigned int)(end - over) >> 3 << 10 | ((unsigned int)(end - over) >> 1 & 3) << 3);	/* c.beqz a4 */
		c->len = end;
	}
	load(c, A4, A5, first + 32);
	load(c, A0, A5, first);
	load(c, A5, A5, first + 40);
	jump(c, at, home, false);
	return c->len;
}

size_t arch_near(uint8_t *to, uintptr_t at, const struct arch_home *home)
{
	struct code code = { to, 0 }, *c = &code;

	for (unsigned int behind = 0; behind <= ARCH_CALL_BYTES; behind += ARCH_CALL_BYTES) {
		op(c, 0x17 | T0 << 7);	/* auipc t0, 0 */
		load(c, T0, T0, behind ? 24 - 12 : 24);
		jal(c, at, home->regs.x[0] + behind);
	}
	data(c, home->regs.x[T0]);
	return c->len;
}

bool arch_is_near(const uint8_t *text)
{
	uint32_t op[5];	/* two before the program counter, there, and two behind it */

	memcpy(op, text + ARCH_NEAR_MAX - 2 * sizeof(*op), sizeof(op));
	for (int i = 0; i < 3; i++)	/* auipc t0, 0; ld t0, 24 or 12(t0); j */
		if (op[i] == (0x17 | T0 << 7) && (op[i + 1] == 0x0182b283 || op[i + 1] == 0x00c2b283) && (op[i + 2] & 0xfff) == 0x6f)
			return true;
	return false;
}

size_t arch_leave(uint8_t *to, const struct arch_home *home, uintptr_t walk)
{
	struct code code = { to, 0 }, *c = &code;
	size_t target, rest;

	op(c, 0);		/* j: over the data */
	op(c, 0);
	target = data(c, walk);
	rest = c->len;
	for (int i = 0; i < 32; i++)
		data(c, home->regs.x[i]);
	jal(&(struct code){ to, 0 }, 0, c->len);
	base(c, A5);
	for (unsigned int i = 1; i < 32; i++)
		if (i < A0 || i > A7)
			load(c, i, A5, rest + 8 * i);
	load(c, A0 + 6, A5, rest + 8 * (A0 + 6));
	load(c, A7, A5, target);
	c_jr(c, A7);
	return c->len;
}
