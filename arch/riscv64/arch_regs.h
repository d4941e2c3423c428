/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_ARCH_REGS_H
#define TINYCKPT_ARCH_REGS_H

#include <elf.h>
#include <stdint.h>
#include <sys/syscall.h>

/* NT_PRSTATUS: struct user_regs_struct of asm/ptrace.h, which has pc in the place of x0.  tp, a pointer to TLS, is one of them. */
struct arch_regs {
	uint64_t x[32];
};

#ifndef NT_RISCV_VECTOR
#define NT_RISCV_VECTOR 0x901	/* Linux 6.5 */
#endif

#ifndef NT_RISCV_USER_CFI
#define NT_RISCV_USER_CFI 0x903	/* Linux 7.0 */
#endif

#define ARCH_REGSETS { NT_PRFPREG, NT_RISCV_VECTOR }
#define ARCH_REGSET_LOST NT_RISCV_VECTOR
#define ARCH_REGSET_ELSE 0
#define ARCH_FRAME_BYTES(lost) (1152 + (lost))
#define ARCH_FIRST_USE 16
enum {
	ARCH_REGSET_MAX = 20 * 1024,	/* 32 vectors of 4096 bits */
	ARCH_HOME_MAX = 256,
	ARCH_NEAR_MAX = 32,
	ARCH_LEAVE_MAX = 512,
	ARCH_HOME_MAGIC_AT = 8,
	ARCH_CALL_BYTES = 4,	/* ecall */
	ARCH_HIDES_RESTART = 1,
	ARCH_CALL_STOPS_HIDE = 0,
	ARCH_TAKES_RESULT = 1,
	ARCH_GOES_ON_AT_EXIT = 0,
};
#define ARCH_HOME_MAGIC "TCKHOME1"
#define ARCH_SA_RESTORER 0
#define ARCH_O_LARGEFILE 0100000
#define ARCH_HOME_REACH (1000UL << 10)	/* of a jump that needs no register: 1 MiB, seen from any byte of it */
#define ARCH_FAR 1
#define ARCH_TASK_SIZE (1UL << 56)	/* at most: it depends on the processor (Sv39, Sv48, Sv57) */

#define ARCH_SIGNS 0
#define ARCH_PROT_BTI 0
#define ARCH_PROT_TAGS 0
#define ARCH_TAGS 0
#define ARCH_FEATURE_WORDS 4
#define ARCH_FEATURES "HWCAP\0hwprobe key 3\0hwprobe key 4\0vlenb"

#define ARCH_NR_mmap SYS_mmap
#define ARCH_MMAP_UNIT 1
#define ARCH_NR_set_tls (-1)
#define ARCH_PTRACE_GET_TLS 0
#define ARCH_NR_permission (-1)
#define ARCH_GET_PERMISSIONS 0
#define ARCH_ASK_PERMISSION 0
/* PR_RISCV_V_GET_CONTROL: whether vectors may be used.  Only execve(2) turns them off. */
#define ARCH_PR_GET_CONTROL 70
#define ARCH_PR_SET_CONTROL 69
#define ARCH_CONTROL_IS_FIXED(control) (((control) & 3) == 1)
/* PR_SET_UNALIGN: only where the kernel does what the processor does not (Linux 6.9) */
#define ARCH_SETTINGS \
	{ "PR_SET_TAGGED_ADDR_CTRL", SYS_prctl, { 56 }, { 55, VALUE }, 0, 0 }, \
	{ "PR_SET_UNALIGN", SYS_prctl, { 5, WORD }, { 6, VALUE }, 1, 0 },
#define ARCH_RSEQ_SIGNATURE 0
#define ARCH_NR_get_user_tls (-1)
#define ARCH_NR_set_user_tls (-1)

#endif
