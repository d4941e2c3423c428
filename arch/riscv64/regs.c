/* SPDX-License-Identifier: MIT */
/* General registers and interrupted system calls of riscv64 (arch/riscv/kernel/signal.c is what this mirrors). */
#include "arch.h"

#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

const long arch_nr_restart_syscall = SYS_restart_syscall;

enum {
	ECALL = 0x00000073,
	PC = 0,
	SP = 2,
	TP = 4,
	A0 = 10,
	NR = 17,		/* a7, the number of a call */
};

uintptr_t arch_pc(const struct arch_regs *regs)
{
	return regs->x[PC];
}

uintptr_t arch_thread_pointer(pid_t tid, const struct arch_regs *regs)
{
	(void)tid;
	return regs->x[TP];
}

uintptr_t arch_sp(const struct arch_regs *regs)
{
	return regs->x[SP];
}

void arch_set_pc(struct arch_regs *regs, uintptr_t pc)
{
	regs->x[PC] = pc;
}

void arch_set_home(struct arch_regs *regs, uintptr_t pc)
{
	arch_set_pc(regs, pc);
}

bool arch_can_jump_back(const struct arch_regs *regs)
{
	(void)regs;
	return true;
}

void arch_no_restart(struct arch_regs *regs)
{
	(void)regs;	/* not theirs to say */
}

/* Nothing can make the kernel forget, but that it has looked at the result once: ARCH_TAKES_RESULT. */
void arch_forget_call(pid_t tid)
{
	(void)tid;
}

void arch_set_entry(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, uintptr_t argument)
{
	arch_set_pc(regs, pc);
	regs->x[SP] = sp;
	regs->x[A0] = argument;
}

void arch_set_syscall(struct arch_regs *regs, uintptr_t pc, long nr, const long args[6])
{
	arch_set_pc(regs, pc);
	regs->x[NR] = (uint64_t)nr;
	for (int i = 0; i < 6; i++)
		arch_set_argument(regs, i, args[i]);
}

long arch_syscall_result(const struct arch_regs *regs)
{
	return (long)regs->x[A0];
}

static bool is_call(const uint8_t *text)
{
	uint32_t instruction;

	memcpy(&instruction, text, sizeof(instruction));
	return instruction == ECALL;
}

bool arch_is_call(const struct arch_regs *regs, const uint8_t *text)
{
	(void)regs;
	return is_call(text);
}

int arch_restart_error(const struct arch_regs *regs)
{
	long ret = (long)regs->x[A0];

	return ret == -ARCH_ERESTARTSYS || ret == -ARCH_ERESTARTNOINTR || ret == -ARCH_ERESTARTNOHAND ||
	       ret == -ARCH_ERESTART_RESTARTBLOCK ? (int)-ret : 0;
}

void arch_rewind(struct arch_regs *regs, long first)
{
	regs->x[PC] -= ARCH_CALL_BYTES;
	regs->x[A0] = (uint64_t)first;
}

/* As handle_signal() of arch/riscv/kernel/signal.c does. */
void arch_go_on(struct arch_regs *regs)
{
	arch_restart(regs, arch_nr_restart_syscall);
}

long arch_hidden(const struct arch_regs *regs)
{
	(void)regs;
	return 0;
}

void arch_set_hidden(struct arch_regs *regs, long value)
{
	(void)regs, (void)value;
}

void arch_end_call(struct arch_regs *regs, long result)
{
	regs->x[PC] += ARCH_CALL_BYTES;
	regs->x[A0] = (uint64_t)result;
}

/* What the kernel says of a restart is hidden: these stand at the call, and are made anew unless it is said otherwise. */
void arch_interrupted(const struct arch_regs *regs, struct arch_interrupted *call)
{
	*call = (struct arch_interrupted){ .nr = (long)regs->x[NR] };
	for (int i = 0; i < 6; i++)
		call->args[i] = (long)regs->x[A0 + i];
}

long arch_cut_short(const struct arch_regs *regs)
{
	return (long)regs->x[A0] == -4 /* EINTR */ ? (long)regs->x[NR] : -1;
}

void arch_pending_call(const struct arch_regs *regs, struct arch_interrupted *call)
{
	arch_interrupted(regs, call);
}

void arch_restart(struct arch_regs *regs, long nr)
{
	regs->x[NR] = (uint64_t)nr;
}

uintptr_t arch_behind_call(const struct arch_regs *regs)
{
	return regs->x[PC] + ARCH_CALL_BYTES;
}

void arch_set_argument(struct arch_regs *regs, int i, long value)
{
	regs->x[A0 + i] = (uint64_t)value;
}

/* li a7, number: addi a7, zero, imm12, or c.li for a small one; then at most a few instructions, then ecall */
long arch_decode_syscall(const uint8_t *text, size_t len)
{
	uint32_t instruction;

	if (len < ARCH_CALL_BYTES || !is_call(text + len - ARCH_CALL_BYTES))
		return -1;
	for (size_t back = ARCH_CALL_BYTES + 2; back <= len; back += 2) {
		instruction = 0;
		memcpy(&instruction, text + len - back, back < ARCH_CALL_BYTES + 4 ? 2 : 4);
		if ((instruction & 0xfffff) == 0x00893)
			return instruction >> 20;
		if ((instruction & 0xff83) == 0x4881)
			return instruction >> 2 & 0x1f;
	}
	return -1;
}

size_t arch_regset_len(unsigned int type, const void *set, size_t len)
{
	enum { VLENB = 4, STATE = 5, VECTORS = 32 };	/* struct __riscv_v_regset_state: five words, then the vectors */
	const uint64_t *word = set;
	const size_t told = type == NT_RISCV_VECTOR && len >= STATE * sizeof(*word) ? STATE * sizeof(*word) + VECTORS * word[VLENB] : len;

	return told < len ? told : len;
}

const char *arch_refuse(pid_t tid, const struct arch_regs *regs)
{
	uint64_t status;
	struct iovec cfi = { &status, sizeof(status) };

	(void)regs;
	if (!ptrace(PTRACE_GETREGSET, tid, (void *)NT_RISCV_USER_CFI, &cfi) && status)
		return "landing pads or a shadow stack: not supported";
	return NULL;
}

bool arch_hides_keys(pid_t tid)
{
	(void)tid;
	return false;
}

bool arch_signs(const uint8_t *text, size_t len)
{
	(void)text, (void)len;
	return false;
}
