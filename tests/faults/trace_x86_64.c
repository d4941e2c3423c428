/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "trace_arch.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

static int get(pid_t tid, struct user_regs_struct *r)
{
	return ptrace(PTRACE_GETREGS, tid, 0, r) ? -1 : 0;
}

static int set(pid_t tid, const struct user_regs_struct *r)
{
	return ptrace(PTRACE_SETREGS, tid, 0, r) ? -1 : 0;
}

void arch_skip_call(pid_t tid)
{
	struct user_regs_struct r;

	if (!get(tid, &r)) {
		r.orig_rax = (unsigned long)-1;
		set(tid, &r);
	}
}

void arch_set_result(pid_t tid, long result)
{
	struct user_regs_struct r;

	if (!get(tid, &r)) {
		r.rax = (unsigned long)result;
		set(tid, &r);
	}
}

int arch_flip_register(pid_t tid)
{
	struct user_regs_struct r;

	if (get(tid, &r))
		return -1;
	r.r13 ^= 1UL << 40;
	return set(tid, &r);
}

int arch_flip_flag(pid_t tid)
{
	struct user_regs_struct r;

	if (get(tid, &r))
		return -1;
	r.eflags ^= 0x400;
	return set(tid, &r);
}

/* xmm5 lies in the legacy area, whatever the size of the whole. */
int arch_flip_vector(pid_t tid)
{
	static unsigned char state[16384];
	struct iovec area = { state, sizeof(state) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &area))
		return -1;
	state[160 + 16 * 5 + 3] ^= 4;
	return ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &area) ? -1 : 0;
}

int arch_flip_red_zone(pid_t tid)
{
	struct user_regs_struct r;
	long word;

	if (get(tid, &r))
		return -1;
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, tid, r.rsp - 64, 0);
	if (errno)
		return -1;
	return ptrace(PTRACE_POKEDATA, tid, r.rsp - 64, word ^ 0x100) ? -1 : 0;
}

int arch_in_user_loop(pid_t tid)
{
	struct user_regs_struct r;

	return !get(tid, &r) && (long)r.orig_rax < 0;
}

int arch_end_call(pid_t tid, long result)
{
	struct user_regs_struct r;

	if (get(tid, &r))
		return -1;
	r.orig_rax = (unsigned long)-1; /* the kernel restarts nothing */
	r.rax = (unsigned long)result;
	return set(tid, &r);
}

/* Steps over a syscall instruction written at the program counter; signals wait, so that none is met on the way. */
int arch_inject(pid_t tid, long number, const long argument[6], long *result)
{
	struct user_regs_struct before, r;
	uint64_t all = ~0UL, mask;
	long code;
	int status;

	if (get(tid, &before) || ptrace(PTRACE_GETSIGMASK, tid, 8, &mask) || ptrace(PTRACE_SETSIGMASK, tid, 8, &all))
		return -1;
	r = before;
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, tid, r.rip, 0);
	if (errno || ptrace(PTRACE_POKETEXT, tid, r.rip, (code & ~0xffffL) | 0x050f))
		return -1;
	r.orig_rax = (unsigned long)-1;
	r.rax = (unsigned long)number;
	r.rdi = (unsigned long)argument[0];
	r.rsi = (unsigned long)argument[1];
	r.rdx = (unsigned long)argument[2];
	r.r10 = (unsigned long)argument[3];
	r.r8 = (unsigned long)argument[4];
	r.r9 = (unsigned long)argument[5];
	if (set(tid, &r) || ptrace(PTRACE_SINGLESTEP, tid, 0, 0) || waitpid(tid, &status, __WALL) != tid || get(tid, &r))
		return -1;
	*result = (long)r.rax;
	if (ptrace(PTRACE_POKETEXT, tid, before.rip, code) || set(tid, &before))
		return -1;
	return ptrace(PTRACE_SETSIGMASK, tid, 8, &mask) ? -1 : 0;
}
