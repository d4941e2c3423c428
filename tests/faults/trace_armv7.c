/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "trace_arch.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { SVC = 0xef000000, SVC_THUMB = 0xdf00, NR = 7, PC = 15, VFP = 0x400 /* NT_ARM_VFP */, SET_SYSCALL = 23 };
static const uint32_t THUMB = 1 << 5, IF_THEN = 0x0600fc00;

struct regs {
	uint32_t r[16], cpsr, orig_r0;
};

static int get(pid_t tid, struct regs *r)
{
	struct iovec area = { r, sizeof(*r) };

	return ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &area) ? -1 : 0;
}

static int set(pid_t tid, const struct regs *r)
{
	struct iovec area = { (void *)(uintptr_t)r, sizeof(*r) };

	return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &area) ? -1 : 0;
}

void arch_skip_call(pid_t tid)
{
	ptrace(SET_SYSCALL, tid, 0, -1);
}

void arch_set_result(pid_t tid, long result)
{
	struct regs r;

	if (!get(tid, &r)) {
		r.r[0] = (uint32_t)result;
		set(tid, &r);
	}
}

int arch_flip_register(pid_t tid)
{
	struct regs r;

	if (get(tid, &r))
		return -1;
	r.r[9] ^= 1U << 20;
	return set(tid, &r);
}

int arch_flip_flag(pid_t tid)
{
	struct regs r;

	if (get(tid, &r))
		return -1;
	r.cpsr ^= 1U << 27; /* Q */
	return set(tid, &r);
}

int arch_flip_vector(pid_t tid)
{
	uint8_t state[32 * 8 + 4];
	struct iovec area = { state, sizeof(state) };

	if (ptrace(PTRACE_GETREGSET, tid, VFP, &area))
		return -1;
	state[8 * 5 + 3] ^= 4;
	return ptrace(PTRACE_SETREGSET, tid, VFP, &area) ? -1 : 0;
}

int arch_flip_red_zone(pid_t tid)
{
	(void)tid;
	return ARCH_HAS_NONE;
}

static bool is_call(pid_t tid, const struct regs *r, uint32_t at)
{
	uint32_t word = (uint32_t)ptrace(PTRACE_PEEKTEXT, tid, at, 0);

	return r->cpsr & THUMB ? (word & 0xffff) == SVC_THUMB : word == SVC;
}

/* A call that was interrupted has been rewound: the thread stands at its instruction, or behind it when it has ended. */
int arch_in_user_loop(pid_t tid)
{
	struct regs r;

	return !get(tid, &r) && !is_call(tid, &r, r.r[PC]) && !is_call(tid, &r, r.r[PC] - (r.cpsr & THUMB ? 2 : 4));
}

int arch_end_call(pid_t tid, long result)
{
	struct regs r;

	if (get(tid, &r))
		return -1;
	if (is_call(tid, &r, r.r[PC]))
		r.r[PC] += r.cpsr & THUMB ? 2 : 4;
	r.r[0] = (uint32_t)result;
	return set(tid, &r);
}

/* From the entry of a system call instruction written at the program counter to its exit; signals wait meanwhile. */
int arch_inject(pid_t tid, long number, const long argument[6], long *result)
{
	struct regs before, r;
	uint64_t all = ~0ULL, mask;
	int status;
	long code;

	if (get(tid, &before) || ptrace(PTRACE_GETSIGMASK, tid, 8, &mask) || ptrace(PTRACE_SETSIGMASK, tid, 8, &all))
		return -1;
	r = before;
	r.cpsr &= ~IF_THEN;
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, tid, r.r[PC], 0);
	if (errno || ptrace(PTRACE_POKETEXT, tid, r.r[PC], r.cpsr & THUMB ? (code & ~0xffffL) | SVC_THUMB : (long)SVC))
		return -1;
	r.r[NR] = (uint32_t)number;
	for (int i = 0; i < 6; i++)
		r.r[i] = (uint32_t)argument[i];
	if (set(tid, &r))
		return -1;
	for (int stops = 0; stops < 2; stops += !(status >> 16)) /* another interrupt is none of them */
		if (ptrace(PTRACE_SYSCALL, tid, 0, 0) || waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			return -1;
	if (get(tid, &r))
		return -1;
	*result = (long)r.r[0];
	before.orig_r0 = ~0U;
	if (ptrace(PTRACE_POKETEXT, tid, before.r[PC], code) || set(tid, &before))
		return -1;
	return ptrace(PTRACE_SETSIGMASK, tid, 8, &mask) ? -1 : 0;
}
