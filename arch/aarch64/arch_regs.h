/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_ARCH_REGS_H
#define TINYCKPT_ARCH_REGS_H

#include <elf.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "config.h"

/* NT_PRSTATUS: struct user_pt_regs of asm/ptrace.h */
struct arch_regs {
	uint64_t x[31];
	uint64_t sp, pc, pstate;
};

/* NT_ARM_SVE, SSVE and ZA: struct user_sve_header of asm/ptrace.h, and behind it the registers */
struct sve_header {
	uint32_t size, max_size;
	uint16_t vl, max_vl, flags, reserved;
};
enum { SVE_REGS_SVE = 1 };

/* Documentation/arch/arm64: newer than the headers one may have to build with */
#ifndef NT_ARM_TLS
#define NT_ARM_TLS 0x401
#endif
#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif
#ifndef NT_ARM_SVE
#define NT_ARM_SVE 0x405
#endif
#ifndef NT_ARM_PAC_MASK
#define NT_ARM_PAC_MASK 0x406
#endif
#ifndef NT_ARM_PACA_KEYS
#define NT_ARM_PACA_KEYS 0x407
#define NT_ARM_PACG_KEYS 0x408
#endif
#ifndef NT_ARM_TAGGED_ADDR_CTRL
#define NT_ARM_TAGGED_ADDR_CTRL 0x409
#endif
#ifndef NT_ARM_PAC_ENABLED_KEYS
#define NT_ARM_PAC_ENABLED_KEYS 0x40a
#endif
#ifndef NT_ARM_SSVE
#define NT_ARM_SSVE 0x40b
#define NT_ARM_ZA 0x40c
#endif
#ifndef NT_ARM_GCS
#define NT_ARM_GCS 0x410
#endif
#ifndef NT_ARM_FPMR
#define NT_ARM_FPMR 0x40e
#endif

/*
 * SVE behind PRFPREG: it holds the vector registers once more, at their full length.  TLS has TPIDR2 as well, where there is
 * one.  Each of SVE and ZA sets its vector length, too; ZA is the length alone, see arch_refuse(), and comes first: where it
 * changes, vectors lose all that is not in PRFPREG.
 */
#define ARCH_REGSETS { NT_ARM_TLS, NT_ARM_ZA, NT_PRFPREG, NT_ARM_SVE, NT_ARM_FPMR, NT_ARM_PACA_KEYS, NT_ARM_PACG_KEYS, \
		       NT_ARM_PAC_ENABLED_KEYS, NT_ARM_TAGGED_ADDR_CTRL }
#define ARCH_REGSET_LOST NT_ARM_SVE
#define ARCH_REGSET_GATED NT_ARM_PACA_KEYS
#define ARCH_HWCAP_GATED (1UL << 30)	/* HWCAP_PACA */
#define ARCH_REGSET_ELSE 0
#define ARCH_FRAME_BYTES(lost) (1232 + (lost))
#define ARCH_FIRST_USE 0
enum {
	ARCH_REGSET_MAX = 16 * 1024,
	ARCH_HOME_MAX = 256,
	ARCH_NEAR_MAX = 24,
	ARCH_LEAVE_MAX = 512,
	ARCH_HOME_MAGIC_AT = 8,
	ARCH_CALL_BYTES = 4,	/* svc #0 */
	ARCH_HIDES_RESTART = 1,
	ARCH_CALL_STOPS_HIDE = 1,	/* x7: report_syscall() of arch/arm64/kernel/ptrace.c */
	ARCH_TAKES_RESULT = 0,
	ARCH_GOES_ON_AT_EXIT = 0,
};
#define ARCH_HOME_MAGIC "TCKHOME1"
#define ARCH_SA_RESTORER 1
#define ARCH_O_LARGEFILE 0400000
#define ARCH_HOME_REACH (127UL << 20)	/* of a branch that needs no register */
#define ARCH_FAR IS_ON_FAR_CODE
#define ARCH_TASK_SIZE (1UL << 52)	/* at most: the kernel may have been built for less */

#define ARCH_SIGNS 1
#define ARCH_PROT_BTI 0x10
#define ARCH_PROT_TAGS 0x20	/* PROT_MTE */
#define ARCH_TAGS IS_ON_MTE
#define ARCH_FRAMES_VARY 1
#define ARCH_FRAME_WORD 5
#define ARCH_FEATURE_WORDS 6
#define ARCH_FEATURES "HWCAP\0HWCAP2\0HWCAP3\0SVE\0SME\0signal frames"

#define ARCH_NR_mmap SYS_mmap
#define ARCH_MMAP_UNIT 1
#define ARCH_NR_set_tls (-1)
#define ARCH_PTRACE_GET_TLS 0
#define ARCH_NR_permission (-1)
#define ARCH_GET_PERMISSIONS 0
#define ARCH_ASK_PERMISSION 0
#define ARCH_PR_GET_CONTROL 0
#define ARCH_PR_SET_CONTROL 0
#define ARCH_CONTROL_IS_FIXED(control) 0
#define ARCH_RSEQ_SIGNATURE 0xd428bc00
#define ARCH_NR_get_user_tls (-1)
#define ARCH_NR_set_user_tls (-1)

#endif
