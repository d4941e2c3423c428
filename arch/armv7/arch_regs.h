/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_ARCH_REGS_H
#define TINYCKPT_ARCH_REGS_H

#include <elf.h>
#include <stdint.h>
#include <sys/syscall.h>

/* NT_PRSTATUS of arch/arm/kernel/ptrace.c */
struct arch_regs {
	uint32_t r[16];		/* r13: stack pointer, r14: link register, r15: program counter */
	uint32_t cpsr;
	uint32_t orig_r0;	/* the first argument of a system call; -1 behind an interrupt or a fault */
};

#ifndef NT_ARM_VFP
#define NT_ARM_VFP 0x400
#endif

/* d0 to d31 (NEON's registers are the same) and FPSCR. */
#define ARCH_REGSETS { NT_ARM_VFP }
#define ARCH_REGSET_LOST 0
#define ARCH_FRAME_BYTES(lost) (lost)
#define ARCH_FIRST_USE 0
#define ARCH_REGSET_ELSE 0
#define ARCH_FRAMES_VARY 1
#define ARCH_SIGNAL_PAGE 0xa80
enum {
	ARCH_REGSET_MAX = 32 * 8 + 4,
	ARCH_HOME_MAX = 240,
	ARCH_NEAR_MAX = 0,
	ARCH_LEAVE_MAX = 0,
	ARCH_HOME_MAGIC_AT = 4,
	ARCH_CALL_BYTES = 4,	/* svc 0; in Thumb state 2 */
	ARCH_HIDES_RESTART = 1,
	ARCH_CALL_STOPS_HIDE = 1,	/* r12: report_syscall() of arch/arm/kernel/ptrace.c */
	ARCH_TAKES_RESULT = 0,
	ARCH_GOES_ON_AT_EXIT = 1,	/* do_work_pending() of arch/arm/kernel/signal.c */
};

/* An instruction, too, as it lies behind the system call: it branches over the letters and 28 words of data. */
#define ARCH_HOME_REACH UINTPTR_MAX
#define ARCH_HOME_MAGIC "\x1c\x00\x00\xeaTCKH"

/* 3 GiB less 16 MiB, or what another split leaves; nearly 4 GiB on a 64-bit kernel. */
uintptr_t arch_task_size(void);
#define ARCH_TASK_SIZE arch_task_size()

#define ARCH_SA_RESTORER 1
#define ARCH_O_LARGEFILE 0400000
#define ARCH_SIGNS 0
#define ARCH_PROT_BTI 0
#define ARCH_PROT_TAGS 0
#define ARCH_TAGS 0
#define ARCH_FEATURE_WORDS 2
#define ARCH_FEATURES "HWCAP\0HWCAP2"

#define ARCH_NR_mmap SYS_mmap2
#define ARCH_MMAP_UNIT 4096	/* whatever the page size */

/* The thread pointer (TPIDRURO) is in no register set: arch/arm/kernel/traps.c, arm_syscall(). */
#define ARCH_NR_set_tls 0x0f0005
#define ARCH_PTRACE_GET_TLS 22	/* PTRACE_GET_THREAD_AREA */

/* TPIDRURW, which user mode may write, is seen by nobody but the thread itself: these calls are the blob's own. */
#define ARCH_NR_permission (-1)
#define ARCH_GET_PERMISSIONS 0
#define ARCH_ASK_PERMISSION 0
#define ARCH_PR_GET_CONTROL 0
#define ARCH_PR_SET_CONTROL 0
#define ARCH_CONTROL_IS_FIXED(control) 0
#define ARCH_RSEQ_SIGNATURE 0xe7f5def3
#define ARCH_NR_get_user_tls 0x0f0f00
#define ARCH_NR_set_user_tls 0x0f0f01

#endif
