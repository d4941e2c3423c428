/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_ARCH_REGS_H
#define TINYCKPT_ARCH_REGS_H

#include <elf.h>
#include <sys/syscall.h>
#include <sys/user.h>

/* NT_PRSTATUS of arch/x86/kernel/ptrace.c */
struct arch_regs {
	struct user_regs_struct x;
};

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

/*
 * XSAVE holds x87, SSE, AVX, AVX-512, PKRU and AMX; the kernel says how much of it there is. A processor without it has
 * x87 and SSE.
 */
#define ARCH_REGSETS { NT_X86_XSTATE, NT_PRFPREG }
#define ARCH_REGSET_WHOLE NT_X86_XSTATE
#define ARCH_REGSET_LOST 0
#define ARCH_FRAME_BYTES(lost) (lost)
#define ARCH_FIRST_USE 0
#define ARCH_REGSET_ELSE NT_PRFPREG
enum {
	ARCH_REGSET_MAX = 16 * 1024,
	ARCH_HOME_MAX = 416,	/* twice as much is behind the vDSO of all kernels up to 6.18 */
	ARCH_NEAR_MAX = 0,
	ARCH_LEAVE_MAX = 0,
	ARCH_HOME_MAGIC_AT = 4,
	ARCH_CALL_BYTES = 2,
	ARCH_HIDES_RESTART = 0,
	ARCH_CALL_STOPS_HIDE = 0,
	ARCH_TAKES_RESULT = 0,
	ARCH_GOES_ON_AT_EXIT = 0,
};
#define ARCH_HOME_MAGIC "TCKHOME1"
#define ARCH_SA_RESTORER 1
#define ARCH_RESTORER ((unsigned long)arch_restorer)
void arch_restorer(void);
#define ARCH_O_LARGEFILE 0100000
#define ARCH_HOME_REACH ARCH_TASK_SIZE
#define ARCH_TASK_SIZE 0xfffffffffff000UL	/* with five levels of page tables, which a mapping has to ask for; else 2^47 */

#define ARCH_SIGNS 0
#define ARCH_PROT_BTI 0
#define ARCH_PROT_TAGS 0
#define ARCH_TAGS 0
#define ARCH_FEATURE_WORDS 12
#define ARCH_FEATURES "XCR0\0HWCAP2\0CPUID.1:ECX\0CPUID.7:EBX\0CPUID.7:ECX\0CPUID.7:EDX\0CPUID.7.1:EAX\0CPUID.7.1:EDX\0" \
	"CPUID.13.1:EAX\0CPUID.80000001:ECX\0CPUID.80000001:EDX\0CPUID.80000008:EBX"

#define ARCH_NR_mmap SYS_mmap
#define ARCH_MMAP_UNIT 1
#define ARCH_NR_set_tls (-1)
#define ARCH_PTRACE_GET_TLS 0
#define ARCH_NR_permission SYS_arch_prctl
#define ARCH_GET_PERMISSIONS 0x1022	/* ARCH_GET_XCOMP_PERM, Linux 5.16 */
#define ARCH_ASK_PERMISSION 0x1023	/* ARCH_REQ_XCOMP_PERM */
/* Indirect branches, L1D flush; CPUID faulting; addresses with tags (LAM); descriptors of segments. */
#define ARCH_SETTINGS \
	{ "PR_SET_SPECULATION_CTRL", SYS_prctl, { 52, 1 }, { 53, 1, VALUE }, 3, 1 }, \
	{ "PR_SET_SPECULATION_CTRL", SYS_prctl, { 52, 2 }, { 53, 2, VALUE }, 5, 1 }, \
	{ "ARCH_SET_CPUID", SYS_arch_prctl, { 0x1011 }, { 0x1012, VALUE }, 1, 0 }, \
	{ "tagged addresses (LAM)", SYS_arch_prctl, { 0x4001, WORD }, { 0 }, -1, 0 }, \
	{ "segments (modify_ldt)", SYS_modify_ldt, { 0, WORD, 8 }, { 0 }, 0, 0 },
#define ARCH_PR_GET_CONTROL 0
#define ARCH_PR_SET_CONTROL 0
#define ARCH_CONTROL_IS_FIXED(control) 0
#define ARCH_RSEQ_SIGNATURE 0x53053053
#define ARCH_NR_get_user_tls (-1)
#define ARCH_NR_set_user_tls (-1)

#endif
