/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "trace_arch.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { ECALL = 0x73, PC = 0, A0 = 10, A3 = 13, NR = 17 };

struct regs {
	uint64_t x[32];
};

static uint64_t skipped; /* the number of the call, in the place of which there is -1 until its exit */

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
	struct regs r;

	if (!get(tid, &r)) {
		skipped = r.x[NR];
		r.x[NR] = ~0UL;
		set(tid, &r);
	}
}

void arch_set_result(pid_t tid, long result)
{
	struct regs r;

	if (!get(tid, &r)) {
		/* at the entry this would be no skipping, at the exit nobody is to miss it */
		if (r.x[NR] == ~0UL && r.x[A0] == (uint64_t)result)
			r.x[NR] = skipped;
		r.x[A0] = (uint64_t)result;
		set(tid, &r);
	}
}

int arch_flip_register(pid_t tid)
{
	struct regs r;

	if (get(tid, &r))
		return -1;
	r.x[A3] ^= 1UL << 40;
	return set(tid, &r);
}

static int flip_float(pid_t tid, unsigned word, uint64_t bit)
{
	uint64_t state[33]; /* f0 to f31, fcsr */
	struct iovec area = { state, sizeof(state) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRFPREG, &area))
		return -1;
	state[word] ^= bit;
	return ptrace(PTRACE_SETREGSET, tid, NT_PRFPREG, &area) ? -1 : 0;
}

/* There are none but those of floating point. */
int arch_flip_flag(pid_t tid)
{
	return flip_float(tid, 32, 1 << 2);
}

int arch_flip_vector(pid_t tid)
{
	return flip_float(tid, 5, 4 << 24);
}

int arch_flip_red_zone(pid_t tid)
{
	(void)tid;
	return ARCH_HAS_NONE;
}

/* A call that was interrupted has been rewound: the thread stands at its instruction, or behind it when it has ended. */
int arch_in_user_loop(pid_t tid)
{
	struct regs r;

	for (uint64_t back = 0; back <= 4; back += 4) {
		if (get(tid, &r))
			return 0;
		errno = 0;
		if ((uint32_t)ptrace(PTRACE_PEEKTEXT, tid, r.x[PC] - back, 0) == ECALL || errno)
			return 0;
	}
	return 1;
}

int arch_end_call(pid_t tid, long result)
{
	struct regs r;

	if (get(tid, &r))
		return -1;
	if ((uint32_t)ptrace(PTRACE_PEEKTEXT, tid, r.x[PC], 0) == ECALL)
		r.x[PC] += 4;
	r.x[A0] = (uint64_t)result;
	return set(tid, &r);
}

/* From the entry of a system call instruction written at the program counter to its exit; signals wait meanwhile. */
int arch_inject(pid_t tid, long number, const long argument[6], long *result)
{
	struct regs before, r;
	uint64_t all = ~0UL, mask;
	int status;
	long code;

	if (get(tid, &before) || ptrace(PTRACE_GETSIGMASK, tid, 8, &mask) || ptrace(PTRACE_SETSIGMASK, tid, 8, &all))
		return -1;
	r = before;
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, tid, r.x[PC], 0);
	if (errno || ptrace(PTRACE_POKETEXT, tid, r.x[PC], (code & ~0xffffffffL) | ECALL))
		return -1;
	r.x[NR] = (uint64_t)number;
	for (int i = 0; i < 6; i++)
		r.x[A0 + i] = (uint64_t)argument[i];
	if (set(tid, &r))
		return -1;
	for (int stops = 0; stops < 2; stops += !(status >> 16)) /* another interrupt is none of them */
		if (ptrace(PTRACE_SYSCALL, tid, 0, 0) || waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			return -1;
	if (get(tid, &r))
		return -1;
	*result = (long)r.x[A0];
	if (ptrace(PTRACE_POKETEXT, tid, before.x[PC], code) || set(tid, &before))
		return -1;
	return ptrace(PTRACE_SETSIGMASK, tid, 8, &mask) ? -1 : 0;
}
