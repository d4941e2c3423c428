/* SPDX-License-Identifier: MIT */
/* General registers and interrupted system calls of x86_64 (arch/x86/kernel/signal.c is what this mirrors). */
#include "arch.h"

#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

const long arch_nr_restart_syscall = SYS_restart_syscall;

enum {
	FLAG_TF = 1 << 8,
	FLAG_DF = 1 << 10,
};

uintptr_t arch_pc(const struct arch_regs *regs)
{
	return regs->x.rip;
}

uintptr_t arch_thread_pointer(pid_t tid, const struct arch_regs *regs)
{
	(void)tid;
	return regs->x.fs_base;
}

uintptr_t arch_sp(const struct arch_regs *regs)
{
	return regs->x.rsp;
}

void arch_set_pc(struct arch_regs *regs, uintptr_t pc)
{
	regs->x.rip = pc;
}

void arch_no_restart(struct arch_regs *regs)
{
	regs->x.orig_rax = -1UL;
}

void arch_set_home(struct arch_regs *regs, uintptr_t pc)
{
	arch_set_pc(regs, pc);
	arch_no_restart(regs);
}

bool arch_can_jump_back(const struct arch_regs *regs)
{
	(void)regs;
	return true;
}

void arch_forget_call(pid_t tid)
{
	(void)tid;	/* arch_no_restart() did */
}

bool arch_is_call(const struct arch_regs *regs, const uint8_t *text)
{
	(void)regs, (void)text;
	return false;
}

int arch_restart_error(const struct arch_regs *regs)
{
	(void)regs;
	return 0;
}

void arch_rewind(struct arch_regs *regs, long first)
{
	(void)regs, (void)first;
}

void arch_go_on(struct arch_regs *regs)
{
	(void)regs;
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
	regs->x.rip += ARCH_CALL_BYTES;
	regs->x.rax = (unsigned long)result;
}

void arch_set_entry(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, uintptr_t argument)
{
	regs->x.rip = pc;
	regs->x.rsp = sp;
	regs->x.rdi = argument;
	regs->x.eflags &= ~(unsigned long)(FLAG_DF | FLAG_TF);
	arch_no_restart(regs);
}

void arch_set_syscall(struct arch_regs *regs, uintptr_t pc, long nr, const long args[6])
{
	regs->x.rip = pc;
	regs->x.rax = (unsigned long)nr;
	for (int i = 0; i < 6; i++)
		arch_set_argument(regs, i, args[i]);
	arch_no_restart(regs);
}

long arch_syscall_result(const struct arch_regs *regs)
{
	return (long)regs->x.rax;
}

void arch_interrupted(const struct arch_regs *regs, struct arch_interrupted *call)
{
	long ret = (long)regs->x.rax;

	memset(call, 0, sizeof(*call));
	if ((long)regs->x.orig_rax < 0)
		return;
	if (ret == -ARCH_ERESTARTSYS || ret == -ARCH_ERESTARTNOINTR || ret == -ARCH_ERESTARTNOHAND ||
	    ret == -ARCH_ERESTART_RESTARTBLOCK)
		call->error = (int)-ret;
	call->nr = (long)regs->x.orig_rax;
	/* restart_syscall(2) by int 0x80, see get_nr_restart_syscall() of arch/x86/kernel/signal.c; read(2) has no such error */
	if (!call->nr && call->error == ARCH_ERESTART_RESTARTBLOCK)
		call->nr = arch_nr_restart_syscall;
	call->args[0] = (long)regs->x.rdi;
	call->args[1] = (long)regs->x.rsi;
	call->args[2] = (long)regs->x.rdx;
	call->args[3] = (long)regs->x.r10;
	call->args[4] = (long)regs->x.r8;
	call->args[5] = (long)regs->x.r9;
}

long arch_cut_short(const struct arch_regs *regs)
{
	return (long)regs->x.rax == -4 /* EINTR */ && (long)regs->x.orig_rax >= 0 ? (long)regs->x.orig_rax : -1;
}

void arch_pending_call(const struct arch_regs *regs, struct arch_interrupted *call)
{
	*call = (struct arch_interrupted){
		.nr = (long)regs->x.rax,
		.args = { (long)regs->x.rdi, (long)regs->x.rsi, (long)regs->x.rdx, (long)regs->x.r10, (long)regs->x.r8,
			  (long)regs->x.r9 },
	};
}

void arch_restart(struct arch_regs *regs, long nr)
{
	regs->x.rip -= ARCH_CALL_BYTES;
	regs->x.rax = (unsigned long)nr;
	arch_no_restart(regs);
}

uintptr_t arch_behind_call(const struct arch_regs *regs)
{
	return regs->x.rip;
}

void arch_set_argument(struct arch_regs *regs, int i, long value)
{
	__typeof__(regs->x.rdi) *const at[6] = {
		&regs->x.rdi, &regs->x.rsi, &regs->x.rdx, &regs->x.r10, &regs->x.r8, &regs->x.r9,
	};

	*at[i] = (unsigned long)value;
}

/*
 * mov $imm32, %eax (b8 imm32) or mov $imm32, %rax (48 c7 c0 imm32), then at most a few bytes, then syscall; or int 0x80, whose numbers
 * and arguments are those of 32-bit programs.
 */
long arch_decode_syscall(const uint8_t *text, size_t len)
{
	static const uint8_t syscall[] = { 0x0f, 0x05 }, int80[] = { 0xcd, 0x80 };
	const bool old = len >= ARCH_CALL_BYTES && !memcmp(text + len - ARCH_CALL_BYTES, int80, sizeof(int80));

	if (!old && (len < ARCH_CALL_BYTES || memcmp(text + len - ARCH_CALL_BYTES, syscall, sizeof(syscall))))
		return -1;
	for (size_t back = 5; back <= 24 && back + ARCH_CALL_BYTES <= len; back++) {
		const uint8_t *p = text + len - ARCH_CALL_BYTES - back;
		uint32_t nr;

		if (p[0] != 0xb8 && !(p[0] == 0xc0 && p > text + 1 && p[-1] == 0xc7 && p[-2] == 0x48))
			continue;
		memcpy(&nr, p + 1, sizeof(nr));
		if (nr < 1024)
			return nr;
	}
	return old ? -2 : -1;
}

size_t arch_regset_len(unsigned int type, const void *set, size_t len)
{
	(void)type, (void)set;
	return len;
}

/*
 * Tiles of AMX: once a thread has used them the kernel hands them out, but it takes them only from one that has; a permission
 * is not enough.  The bit is that of the XSAVE header's XSTATE_BV: not set, they are as at the start.
 */
static bool has_tiles(pid_t tid)
{
	enum { XSTATE_BV = 512 / 8, XTILEDATA = 18 };
	uint64_t words[XSTATE_BV + 1];
	struct iovec iov = { words, sizeof(words) };

	return !ptrace(PTRACE_GETREGSET, tid, (void *)NT_X86_XSTATE, &iov) && iov.iov_len == sizeof(words) &&
	       words[XSTATE_BV] >> XTILEDATA & 1;
}

const char *arch_refuse(pid_t tid, const struct arch_regs *regs)
{
	uint64_t some;
	struct iovec ports = { &some, sizeof(some) };

	(void)regs;
	if (has_tiles(tid))
		return "tiles (AMX) in use: not supported";
	if (!ptrace(PTRACE_GETREGSET, tid, (void *)NT_386_IOPERM, &ports))
		return "I/O ports (ioperm) that it may use: not supported";
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
