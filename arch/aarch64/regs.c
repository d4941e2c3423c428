/* SPDX-License-Identifier: MIT */
/* General registers and interrupted system calls of aarch64 (arch/arm64/kernel/signal.c is what this mirrors). */
#include "arch.h"

#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

const long arch_nr_restart_syscall = SYS_restart_syscall;

enum {
	SVC = 0xd4000001,
	MOVZ_X8 = 0xd2800008,	/* mov x8, #imm16, the number in bits 5 to 20 */
	MOVZ_W8 = 0x52800008,
	PSTATE_BTYPE = 3 << 10,
	PSTATE_SS = 1 << 21,
	NR = 8,			/* the register with the number of a call */
	HIDDEN = 7,		/* at the stops around a call it tells which of the two it is */
};

uintptr_t arch_pc(const struct arch_regs *regs)
{
	return regs->pc;
}

uintptr_t arch_thread_pointer(pid_t tid, const struct arch_regs *regs)
{
	unsigned long pointers[2] = { 0 };	/* TPIDR_EL0, and TPIDR2_EL0 where there is one */
	struct iovec iov = { pointers, sizeof(pointers) };

	(void)regs;
	return ptrace(PTRACE_GETREGSET, tid, (void *)NT_ARM_TLS, &iov) ? 0 : pointers[0];
}

uintptr_t arch_sp(const struct arch_regs *regs)
{
	return regs->sp;
}

void arch_set_pc(struct arch_regs *regs, uintptr_t pc)
{
	regs->pc = pc;
	regs->pstate &= ~(uint64_t)PSTATE_BTYPE;
}

void arch_no_restart(struct arch_regs *regs)
{
	(void)regs;	/* not theirs to say: see arch_forget_call() */
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

void arch_forget_call(pid_t tid)
{
	int none = -1;
	struct iovec iov = { &none, sizeof(none) };

	ptrace(PTRACE_SETREGSET, tid, (void *)NT_ARM_SYSTEM_CALL, &iov);
}

void arch_set_entry(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, uintptr_t argument)
{
	arch_set_pc(regs, pc);
	regs->sp = sp;
	regs->x[0] = argument;
	regs->pstate &= ~(uint64_t)PSTATE_SS;
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
	return (long)regs->x[0];
}

static bool is_call(const uint8_t *text)
{
	uint32_t instruction;

	memcpy(&instruction, text, sizeof(instruction));
	return instruction == SVC;
}

bool arch_is_call(const struct arch_regs *regs, const uint8_t *text)
{
	(void)regs;
	return is_call(text);
}

int arch_restart_error(const struct arch_regs *regs)
{
	long ret = (long)regs->x[0];

	return ret == -ARCH_ERESTARTSYS || ret == -ARCH_ERESTARTNOINTR || ret == -ARCH_ERESTARTNOHAND ||
	       ret == -ARCH_ERESTART_RESTARTBLOCK ? (int)-ret : 0;
}

void arch_rewind(struct arch_regs *regs, long first)
{
	regs->pc -= ARCH_CALL_BYTES;
	regs->x[0] = (uint64_t)first;
}

/* As setup_restart_syscall() of arch/arm64/kernel/signal.c does. */
void arch_go_on(struct arch_regs *regs)
{
	arch_restart(regs, arch_nr_restart_syscall);
}

long arch_hidden(const struct arch_regs *regs)
{
	return (long)regs->x[HIDDEN];
}

void arch_set_hidden(struct arch_regs *regs, long value)
{
	regs->x[HIDDEN] = (uint64_t)value;
}

void arch_end_call(struct arch_regs *regs, long result)
{
	regs->pc += ARCH_CALL_BYTES;
	regs->x[0] = (uint64_t)result;
}

/* What the kernel says of a restart is hidden: these stand at the call, and are made anew unless it is said otherwise. */
void arch_interrupted(const struct arch_regs *regs, struct arch_interrupted *call)
{
	*call = (struct arch_interrupted){ .nr = (long)regs->x[NR] };
	for (int i = 0; i < 6; i++)
		call->args[i] = (long)regs->x[i];
}

long arch_cut_short(const struct arch_regs *regs)
{
	return (long)regs->x[0] == -4 /* EINTR */ ? (long)regs->x[NR] : -1;
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
	return regs->pc + ARCH_CALL_BYTES;
}

void arch_set_argument(struct arch_regs *regs, int i, long value)
{
	regs->x[i] = (uint64_t)value;
}

/* movz x8 (or w8), #number, then at most a few instructions, then svc */
long arch_decode_syscall(const uint8_t *text, size_t len)
{
	uint32_t instruction;

	if (len < ARCH_CALL_BYTES || !is_call(text + len - ARCH_CALL_BYTES))
		return -1;
	for (size_t back = 2 * ARCH_CALL_BYTES; back <= len; back += ARCH_CALL_BYTES) {
		memcpy(&instruction, text + len - back, sizeof(instruction));
		if ((instruction & 0xffe0001f) == MOVZ_X8 || (instruction & 0xffe0001f) == MOVZ_W8)
			return instruction >> 5 & 0xffff;
	}
	return -1;
}

/* The beginning of it.  0, or -1: the kernel, the processor or the thread has none such. */
static long regset(pid_t tid, unsigned long type, void *data, size_t len)
{
	struct iovec iov = { data, len };

	return ptrace(PTRACE_GETREGSET, tid, (void *)type, &iov);
}

size_t arch_regset_len(unsigned int type, const void *set, size_t len)
{
	const struct sve_header *sve = set;
	const bool told = (type == NT_ARM_SVE || type == NT_ARM_ZA) && len >= sizeof(*sve) && sve->size < len;

	return told ? sve->size : len;
}

const char *arch_refuse(pid_t tid, const struct arch_regs *regs)
{
	struct sve_header sve;
	uint64_t stack[3];	/* its features, those locked, its pointer */

	(void)regs;
	if (!regset(tid, NT_ARM_GCS, stack, sizeof(stack)) && stack[0])
		return "a shadow stack (GCS): not supported";
	if (!regset(tid, NT_ARM_SSVE, &sve, sizeof(sve)) && sve.flags & SVE_REGS_SVE)
		return "streaming mode (SME) in use: not supported";
	if (!regset(tid, NT_ARM_ZA, &sve, sizeof(sve)) && sve.size > sizeof(sve))	/* without it there is no ZT0 either */
		return "register ZA (SME) in use: not supported";
	return NULL;
}

/* The mask tells that there are keys; they need CONFIG_CHECKPOINT_RESTORE. */
bool arch_hides_keys(pid_t tid)
{
	uint64_t words[2];

	return !regset(tid, NT_ARM_PAC_MASK, words, sizeof(words)) && regset(tid, NT_ARM_PACA_KEYS, words, sizeof(words));
}

bool arch_signs(const uint8_t *text, size_t len)
{
	static const struct {
		uint32_t mask, instruction;
	} signing[] = {
		{ 0xfffffd9f, 0xd503211f },	/* hint: pacia1716, pacib1716, paciaz, paciasp, pacibz, pacibsp */
		{ 0xffffd000, 0xdac10000 },	/* pacia, pacib, pacda, pacdb, and those that sign with zero */
		{ 0xffe0fc00, 0x9ac03000 },	/* pacga */
	};
	uint32_t instruction;

	for (; len >= sizeof(instruction); text += sizeof(instruction), len -= sizeof(instruction)) {
		memcpy(&instruction, text, sizeof(instruction));
		for (size_t i = 0; i < sizeof(signing) / sizeof(*signing); i++)
			if ((instruction & signing[i].mask) == signing[i].instruction)
				return true;
	}
	return false;
}
