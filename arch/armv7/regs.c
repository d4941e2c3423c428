/* SPDX-License-Identifier: MIT */
/*
 * General registers and interrupted system calls of armv7 (arch/arm/kernel/signal.c is what this mirrors).
 *
 * The kernel prepares the restart of a call before it tells the tracer that the thread stands still: the program counter
 * is at the instruction again, r0 as it was, and no more is seen of the error.  Only where a call has just returned (the
 * stop behind a system call) it is in r0.
 */
#include "arch.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <unistd.h>

const long arch_nr_restart_syscall = SYS_restart_syscall;

enum {
	NR = 7,		/* the register with the number of a call */
	HIDDEN = 12,	/* at the stops around a call it tells which of the two it is */
	SP = 13,
	PC = 15,
	EINTR_ = 4,
};

/* CPSR */
static const uint32_t THUMB = 1 << 5, BIG_ENDIAN_DATA = 1 << 9, JAZELLE = 1 << 24, IF_THEN = 0x0600fc00;
static const uint32_t NO_CALL = ~0U;

uintptr_t arch_pc(const struct arch_regs *regs)
{
	return regs->r[PC];
}

uintptr_t arch_thread_pointer(pid_t tid, const struct arch_regs *regs)
{
	unsigned long pointer = 0;

	(void)regs;
	return ptrace(ARCH_PTRACE_GET_TLS, tid, NULL, &pointer) ? 0 : pointer;
}

uintptr_t arch_sp(const struct arch_regs *regs)
{
	return regs->r[SP];
}

void arch_set_pc(struct arch_regs *regs, uintptr_t pc)
{
	regs->r[PC] = pc;
}

void arch_no_restart(struct arch_regs *regs)
{
	regs->orig_r0 = NO_CALL;
}

/* What tinyckpt brings along is in ARM state.  r0 must not look as if a call were to be restarted. */
void arch_set_home(struct arch_regs *regs, uintptr_t pc)
{
	regs->cpsr &= ~(THUMB | IF_THEN);
	regs->r[0] = 0;
	regs->r[PC] = pc;
	arch_no_restart(regs);
}

void arch_set_entry(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, uintptr_t argument)
{
	arch_set_home(regs, pc);
	regs->r[SP] = sp;
	regs->r[0] = argument;
}

void arch_set_syscall(struct arch_regs *regs, uintptr_t pc, long nr, const long args[6])
{
	arch_set_home(regs, pc);
	regs->r[NR] = (uint32_t)nr;
	for (int i = 0; i < 6; i++)
		arch_set_argument(regs, i, args[i]);
}

long arch_syscall_result(const struct arch_regs *regs)
{
	return (long)regs->r[0];
}

/* Of a call that is yet to be made, or made anew. */
void arch_interrupted(const struct arch_regs *regs, struct arch_interrupted *call)
{
	*call = (struct arch_interrupted){ .nr = (long)regs->r[NR] };
	for (int i = 0; i < 6; i++)
		call->args[i] = (long)regs->r[i];
}

void arch_pending_call(const struct arch_regs *regs, struct arch_interrupted *call)
{
	arch_interrupted(regs, call);
}

static uint32_t call_bytes(const struct arch_regs *regs)
{
	return regs->cpsr & THUMB ? 2 : 4;
}

bool arch_is_call(const struct arch_regs *regs, const uint8_t *text)
{
	return regs->cpsr & THUMB ? text[0] == 0 && text[1] == 0xdf : !memcmp(text, "\0\0\0\xef", 4);
}

int arch_restart_error(const struct arch_regs *regs)
{
	const int error = -(int)regs->r[0];

	return error == ARCH_ERESTARTSYS || error == ARCH_ERESTARTNOINTR || error == ARCH_ERESTARTNOHAND ||
	       error == ARCH_ERESTART_RESTARTBLOCK ? error : 0;
}

void arch_rewind(struct arch_regs *regs, long first)
{
	regs->r[PC] -= call_bytes(regs);
	regs->r[0] = (uint32_t)first;
}

void arch_end_call(struct arch_regs *regs, long result)
{
	regs->r[PC] += call_bytes(regs);
	regs->r[0] = (uint32_t)result;
}

/* As the call left them: the kernel goes on with it by restart_syscall(2) without a change of r7. */
void arch_go_on(struct arch_regs *regs)
{
	regs->orig_r0 = regs->r[0];
	arch_end_call(regs, -ARCH_ERESTART_RESTARTBLOCK);
}

long arch_hidden(const struct arch_regs *regs)
{
	return (long)regs->r[HIDDEN];
}

void arch_set_hidden(struct arch_regs *regs, long value)
{
	regs->r[HIDDEN] = (uint32_t)value;
}

void arch_forget_call(pid_t tid)
{
	(void)tid;	/* arch_set_home() did */
}

long arch_cut_short(const struct arch_regs *regs)
{
	return (int)regs->r[0] == -EINTR_ && regs->orig_r0 != NO_CALL ? (long)regs->r[NR] : -1;
}

void arch_restart(struct arch_regs *regs, long nr)
{
	regs->r[NR] = (uint32_t)nr;
}

uintptr_t arch_behind_call(const struct arch_regs *regs)
{
	return regs->r[PC] + call_bytes(regs);
}

void arch_set_argument(struct arch_regs *regs, int i, long value)
{
	regs->r[i] = (uint32_t)value;
}

static uint32_t rotated(uint32_t value, unsigned int by)
{
	return by ? value >> by | value << (32 - by) : value;
}

/* mov r7, #..., movw r7, #... */
static long decode_arm(uint32_t instruction)
{
	if ((instruction & 0xfffff000) == 0xe3a07000)
		return (long)rotated(instruction & 0xff, instruction >> 7 & 0x1e);
	if ((instruction & 0xfff0f000) == 0xe3007000)
		return (long)((instruction >> 4 & 0xf000) | (instruction & 0xfff));
	return -1;
}

/* movs r7, #...; movw r7, #...; mov.w r7, #... with a rotated constant */
static long decode_thumb(uint32_t first, uint32_t second)
{
	const uint32_t imm = (first & 0x400) << 1 | (second >> 4 & 0x700) | (second & 0xff);

	if ((first & 0xff00) == 0x2700)
		return (long)(first & 0xff);
	if ((first & 0xfbf0) == 0xf240 && (second & 0x8f00) == 0x0700)
		return (long)((first & 0xf) << 12 | imm);
	if ((first & 0xfbff) == 0xf04f && (second & 0x8f00) == 0x0700)
		return imm < 0x100 ? (long)imm : imm >= 0x400 ? (long)rotated(0x80 | (imm & 0x7f), imm >> 7) : -1;
	return -1;
}

static uint32_t halfword(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

long arch_decode_syscall(const uint8_t *text, size_t len)
{
	static const uint8_t arm[4] = { 0, 0, 0, 0xef }, thumb[2] = { 0, 0xdf };
	size_t svc = 0;

	if (len >= 4 && !memcmp(text + len - 4, arm, 4))
		svc = 4;
	else if (len >= 2 && !memcmp(text + len - 2, thumb, 2))
		svc = 2;
	for (size_t at = svc, back = 0; svc && at + svc <= len && back < 6; at += svc, back++) {
		const uint8_t *p = text + len - at - svc;
		uint32_t first = halfword(p), second = halfword(p + 2);
		long nr = svc == 4 ? decode_arm(first | second << 16) : decode_thumb(first, second);

		if (nr >= 0 && nr < 1024)
			return nr;
	}
	return -1;
}

/* The state of an IT block is in no register that a program could set. */
bool arch_can_jump_back(const struct arch_regs *regs)
{
	return !(regs->cpsr & IF_THEN) || !(regs->cpsr & THUMB);
}

size_t arch_regset_len(unsigned int type, const void *set, size_t len)
{
	(void)type, (void)set;
	return len;
}

const char *arch_refuse(pid_t tid, const struct arch_regs *regs)
{
	(void)tid;
	if (regs->cpsr & BIG_ENDIAN_DATA)
		return "big-endian data";
	return regs->cpsr & JAZELLE ? "Jazelle or ThumbEE" : NULL;
}

/* Nothing tells but the kernel's refusal to map anything beyond. */
uintptr_t arch_task_size(void)
{
	static uintptr_t size;
	const uintptr_t page = (uintptr_t)getpagesize();
	uintptr_t below = 0x40000000 / page, beyond = 0xfffff000 / page;	/* pages: this one is, this one is not */

	while (!size && beyond - below > 1) {
		const uintptr_t middle = below + (beyond - below) / 2;
		void *at = (void *)(middle * page);
		void *got = mmap(at, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);

		if (got == MAP_FAILED && errno == ENOMEM) {
			beyond = middle;
		} else {
			if (got != MAP_FAILED)
				munmap(got, page);
			below = middle;
		}
	}
	if (!size)
		size = beyond * page;
	return size;
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
