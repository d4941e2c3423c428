/* SPDX-License-Identifier: MIT */
/*
 * The way home on x86_64, assembled for one thread.  It may run at any time without a tracer, so nothing of it is
 * ever fixed up from outside while it runs.  rt_sigreturn is not used: the kernel's resets the restart block, and an
 * interrupted nanosleep would return EINTR.
 */
#include "arch.h"

#include <string.h>
#include <sys/syscall.h>

struct code {
	uint8_t *to;
	size_t len;
};

static void bytes(struct code *c, const char *text, size_t len)
{
	memcpy(c->to + c->len, text, len);
	c->len += len;
}

#define BYTES(c, text) bytes(c, text, sizeof(text) - 1)

static void imm64(struct code *c, uint64_t value)
{
	memcpy(c->to + c->len, &value, sizeof(value));
	c->len += sizeof(value);
}

static void imm32(struct code *c, uint32_t value)
{
	memcpy(c->to + c->len, &value, sizeof(value));
	c->len += sizeof(value);
}

/* movabs $value, %register: register by its number in the instruction set's order */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

static void load(struct code *c, int reg, uint64_t value)
{
	uint8_t op[2] = { (uint8_t)(reg >= R8 ? 0x49 : 0x48), (uint8_t)(0xb8 + (reg & 7)) };

	bytes(c, (const char *)op, sizeof(op));
	imm64(c, value);
}

static void load_eax(struct code *c, uint32_t value)
{
	BYTES(c, "\xb8");
	imm32(c, value);
}

static void syscall_(struct code *c)
{
	BYTES(c, "\x0f\x05");
}

/* jmp *0(%rip), then the address: no register, no stack, no flag is touched */
static void jump(struct code *c, uint64_t to)
{
	BYTES(c, "\xff\x25\0\0\0\0");
	imm64(c, to);
}

/*
 * pause, select and their kin return EINTR when a handler has run, and nothing would wake them again if the handler ran just
 * before they are called anew.  ppoll with the thread's own mask and no time tells whether one ran.  rbx keeps the answer over
 * the next call.  Returns where a thread goes on in which one did.
 */
static size_t ask(struct code *c, uint64_t mask, uint64_t zero)
{
	size_t interrupted;

	load_eax(c, SYS_ppoll);
	load(c, RDI, 0);
	load(c, RSI, 0);
	load(c, RDX, zero);
	load(c, R10, mask);
	load(c, R8, 8);
	syscall_(c);
	BYTES(c, "\x48\x89\xc3");	/* mov %rax, %rbx */
	BYTES(c, "\xeb\x07");		/* jmp over the next */
	interrupted = c->len;
	BYTES(c, "\x48\xc7\xc3\xfc\xff\xff\xff");	/* mov $-EINTR, %rbx */
	return interrupted;
}

size_t arch_home(uint8_t *to, uintptr_t at, const struct arch_home *home, struct arch_way *way)
{
	struct code code = { to, 0 }, *c = &code;
	struct arch_regs final = home->regs;
	size_t mask_at, flags_at, zero_at, branch;
	bool nohand;

	nohand = home->call.error == ARCH_ERESTARTNOHAND;
	if (home->call.error == ARCH_ERESTART_RESTARTBLOCK)
		arch_restart(&final, arch_nr_restart_syscall);
	else if (home->call.error)
		arch_restart(&final, home->call.nr);

	syscall_(c);
	BYTES(c, "\xeb\x28");	/* jmp over the data */
	BYTES(c, ARCH_HOME_MAGIC);
	mask_at = c->len;
	imm64(c, home->sigmask);
	flags_at = c->len;
	imm64(c, final.x.eflags);
	zero_at = c->len;
	imm64(c, 0);		/* struct timespec {0, 0} */
	imm64(c, 0);
	way->walk = c->len;

	load_eax(c, SYS_munmap);
	load(c, RDI, home->unmap);
	load(c, RSI, home->unmap_len);
	syscall_(c);

	/* Flags come from memory by way of the stack pointer, while every signal is still blocked. */
	load(c, RSP, at + flags_at);
	BYTES(c, "\x9d");	/* popfq */
	load(c, RSP, final.x.rsp);
	way->unmask = c->len;

	if (nohand)
		way->interrupted = ask(c, at + mask_at, at + zero_at);
	else
		way->interrupted = way->unmask;

	load_eax(c, SYS_rt_sigprocmask);
	load(c, RDI, 2 /* SIG_SETMASK */);
	load(c, RSI, at + mask_at);
	load(c, RDX, home->old_mask);
	load(c, R10, 8);
	syscall_(c);

	if (nohand)
		BYTES(c, "\x48\x89\xd9");	/* mov %rbx, %rcx */
	load(c, RBX, final.x.rbx);
	load(c, RDX, final.x.rdx);
	load(c, RSI, final.x.rsi);
	load(c, RDI, final.x.rdi);
	load(c, RBP, final.x.rbp);
	load(c, R8, final.x.r8);
	load(c, R9, final.x.r9);
	load(c, R10, final.x.r10);
	load(c, R11, final.x.r11);
	load(c, R12, final.x.r12);
	load(c, R13, final.x.r13);
	load(c, R14, final.x.r14);
	load(c, R15, final.x.r15);
	if (nohand) {
		BYTES(c, "\xe3\x00");	/* jrcxz: a branch that touches no flag */
		branch = c->len;
		load(c, RCX, final.x.rcx);
		load(c, RAX, (uint64_t)-4 /* EINTR */);
		jump(c, home->regs.x.rip);
		c->to[branch - 1] = (uint8_t)(c->len - branch);
	}
	load(c, RCX, final.x.rcx);
	load(c, RAX, final.x.rax);
	jump(c, final.x.rip);
	return c->len;
}

size_t arch_near(uint8_t *to, uintptr_t at, const struct arch_home *home)
{
	(void)to, (void)at, (void)home;
	return 0;	/* a jump reaches everything */
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
