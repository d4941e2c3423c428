/* SPDX-License-Identifier: MIT */
/*
 * The contract of an architecture: all that knows a register or a calling convention lies behind these.
 * arch/ARCH/ provides arch_regs.h (struct arch_regs and the constants named below), regs.c, home.c, frame.c,
 * features.c, feature_names.c, crc32c.c, vdso.c and blob/; where it needs them, signal_frames.c, signal_page.c and mte.c.
 */
#ifndef TINYCKPT_ARCH_H
#define TINYCKPT_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch_regs.h"

/*
 * From arch_regs.h:
 *   struct arch_regs      the general registers as PTRACE_GETREGSET hands them out with NT_PRSTATUS
 *   ARCH_REGSETS          an initializer: the NT_ types beside NT_PRSTATUS that make up a thread's state
 *   ARCH_REGSET_ELSE      the one of them that is taken only where the kernel has no set of the type before it;
 *                         without it, none is
 *   ARCH_REGSET_WHOLE     the one of them that the kernel takes only as long as the machine has it, and in which zeros stand for
 *                         nothing; may be left out
 *   ARCH_REGSET_LOST      the one of them that every system call destroys (see arch_frame()); 0: none
 *   ARCH_FRAME_BYTES(n)   how much arch_frame() writes at most, n being the bytes of that set
 *   ARCH_FIRST_USE        where in the blob code lies by which a thread gets the registers of ARCH_REGSET_LOST, which it has
 *                         only once it has used them; it ends in a trap.  0: every thread has them
 *   ARCH_REGSET_GATED     one of them that a kernel may keep to itself (CONFIG_CHECKPOINT_RESTORE); ARCH_HWCAP_GATED: the bits of
 *                         AT_HWCAP by which the processor has it; both may be left out
 *   ARCH_FRAMES_VARY      1: of one machine's kernels some refuse signal frames of others, see arch_frames_settle(); may be left out
 *   ARCH_FRAME_WORD       the word of features that tells what signal frames may have; 0: none does; may be left out
 *   ARCH_SIGNAL_PAGE      bytes of [sigpage] that arch_signal_page() writes; may be left out
 *   ARCH_REGSET_MAX       bytes that the largest of them can take
 *   ARCH_HOME_MAX         bytes that arch_home() may write, a multiple of 16, as `at` is
 *   ARCH_HOME_MAGIC       by which a later visit knows them, at offset ARCH_HOME_MAGIC_AT
 *   ARCH_HOME_REACH       how far the program counter may be from there, if there is nothing near it
 *   ARCH_FAR              1: and there may be nothing near it; may be left out
 *   ARCH_NEAR_MAX         bytes that arch_near() may write, a multiple of 8 or 0; ARCH_LEAVE_MAX: arch_leave()
 *   ARCH_CALL_BYTES       length of the system call instruction, at most
 *   ARCH_CALL_STOPS_HIDE  1: one of the registers cannot be read or set at the stops before and behind a call
 *   ARCH_GOES_ON_AT_EXIT  1: only at the exit of a call does the kernel look whether it is to be gone on with
 *   ARCH_TAKES_RESULT     1: at the exit of a call its result is what the registers say that were set there
 *   ARCH_HIDES_RESTART    1: a tracer finds an interrupted call rewound already and not what the kernel means to do; see below
 *   ARCH_SA_RESTORER      1: the kernel's struct sigaction has a restorer
 *   ARCH_RESTORER         and wants the tool's, of which this is the address; may be left out: the kernel has code of its own
 *   ARCH_O_LARGEFILE      the kernel's O_LARGEFILE, which C libraries for 64 bits may have as 0
 *   ARCH_TASK_SIZE        addresses below it belong to user space (of this kernel: it need not be a constant)
 *   ARCH_NR_mmap          mmap(2) as it is called there, and
 *   ARCH_MMAP_UNIT        what its offset counts, in bytes
 *   ARCH_NR_set_tls       the call by which a thread sets its thread pointer, -1 where that is in one of the register sets;
 *   ARCH_PTRACE_GET_TLS   then the request of ptrace(2) that reads it, one word
 *   ARCH_RSEQ_SIGNATURE   by which glibc registers for rseq(2) (its bits/rseq.h); 0: not before Linux 5.13, which tells where
 *   ARCH_NR_get_user_tls, ARCH_NR_set_user_tls  by which the interpreter reads and sets a second one, that no tracer sees; or -1
 *   ARCH_NR_permission    the call by which a process asks for register state that not all have, by its number, with
 *                         ARCH_ASK_PERMISSION, and learns what it may have, as bits, with ARCH_GET_PERMISSIONS; -1: there is none
 *   ARCH_PR_GET_CONTROL, ARCH_PR_SET_CONTROL  by which prctl(2) tells and sets what else each thread has; 0: there is none
 *   ARCH_CONTROL_IS_FIXED(c)  1: no thread gets there that is not there by birth
 *   ARCH_SETTINGS         rows of the table in src/tree/settings.c, each with a comma behind it; may be left out
 *   ARCH_SIGNS            1: programs can sign pointers, see arch_hides_keys()
 *   ARCH_PROT_BTI         what mmap(2) gives to code of which only landing pads may be jumped to; 0: there is no such thing
 *   ARCH_PROT_TAGS        what mmap(2) gives to memory that has tags; 0: there is no such thing
 *   ARCH_TAGS             1: they can be carried, see arch_tags_read()
 *   ARCH_FEATURE_WORDS    how many words of features there are, see arch_features();
 *   ARCH_FEATURES         what they are called: as many texts in one, each but the last ended by a NUL
 */

#ifndef ARCH_REGSET_GATED
#define ARCH_REGSET_GATED 0
#define ARCH_HWCAP_GATED 0
#endif
#ifndef ARCH_REGSET_WHOLE
#define ARCH_REGSET_WHOLE 0
#endif
#ifndef ARCH_RESTORER
#define ARCH_RESTORER 0
#endif
#ifndef ARCH_SIGNAL_PAGE
#define ARCH_SIGNAL_PAGE 0
#endif
#ifndef ARCH_FAR
#define ARCH_FAR 0
#endif
#ifndef ARCH_SETTINGS
#define ARCH_SETTINGS
#endif
#ifndef ARCH_FRAME_WORD
#define ARCH_FRAME_WORD 0
#endif
#ifndef ARCH_FRAMES_VARY
#define ARCH_FRAMES_VARY 0
#endif

uintptr_t arch_pc(const struct arch_regs *regs);

/* The thread pointer of a thread that is held, and has these registers; 0: it is not known. */
uintptr_t arch_thread_pointer(pid_t tid, const struct arch_regs *regs);
uintptr_t arch_sp(const struct arch_regs *regs);
void arch_set_pc(struct arch_regs *regs, uintptr_t pc);

/* Makes regs stand at pc, a place in the code of arch_home(), with stack pointer and flags as they are. */
void arch_set_home(struct arch_regs *regs, uintptr_t pc);

/*
 * Can code bring the thread back to where it is?  Not so where it is in a state that no jump leads to; a few instructions
 * further on it can.
 */
bool arch_can_jump_back(const struct arch_regs *regs);

/*
 * Makes regs run the code at pc on the stack sp with one argument, in the way that arch/ARCH/blob/entry.S expects it.
 * The kernel must not restart a system call on the way there.
 */
void arch_set_entry(struct arch_regs *regs, uintptr_t pc, uintptr_t sp, uintptr_t argument);

/* Makes regs do one system call with the instruction at pc (the first one that arch_home() writes). */
void arch_set_syscall(struct arch_regs *regs, uintptr_t pc, long nr, const long args[6]);

/* What the last system call returned: a value or a negative errno. */
long arch_syscall_result(const struct arch_regs *regs);

/*
 * A thread that was stopped inside a system call.  error is how the kernel means to go on (arch_interrupted_error:
 * 512 to 516 of include/linux/errno.h, 0 when the thread was in user mode); nr is the number of the call.
 */
struct arch_interrupted {
	int error;
	long nr;
	long args[6];
};
enum {
	ARCH_ERESTARTSYS = 512,
	ARCH_ERESTARTNOINTR = 513,
	ARCH_ERESTARTNOHAND = 514,
	ARCH_ERESTART_RESTARTBLOCK = 516,
};

void arch_interrupted(const struct arch_regs *regs, struct arch_interrupted *call);

/*
 * Makes regs execute the interrupted call nr anew when the thread goes on: program counter at the instruction, number
 * and arguments in place.  With arch_nr_restart_syscall as nr it goes on where it was interrupted (same task only).
 */
void arch_restart(struct arch_regs *regs, long nr);
extern const long arch_nr_restart_syscall;

/* A call that was cut short with EINTR though it might be made anew: its number, -1 when regs are no such case. */
long arch_cut_short(const struct arch_regs *regs);
/* The address behind the instruction of an interrupted call. */
uintptr_t arch_behind_call(const struct arch_regs *regs);

/*
 * Where the kernel hides what it means to do (ARCH_HIDES_RESTART; else these are not used): a thread stands at the
 * instruction of its call, with number and arguments in place, as if it were about to make it for the first time.
 * arch_interrupted() tells the call and no error.
 *
 * Is that the instruction of a system call?  text: ARCH_CALL_BYTES, at the program counter of regs.
 */
bool arch_is_call(const struct arch_regs *regs, const uint8_t *text);
/* At the exit of such a call: the error as above, 0 when it has ended.  first: its first argument, which the result hides. */
int arch_restart_error(const struct arch_regs *regs);
/* From the exit back to the instruction, and from there to an exit with that result. */
void arch_rewind(struct arch_regs *regs, long first);
void arch_end_call(struct arch_regs *regs, long result);
/*
 * A call that ended in ERESTART_RESTARTBLOCK and was rewound: registers with which the kernel goes on with it.  With
 * ARCH_GOES_ON_AT_EXIT they are for the exit of another call, with an interrupt waiting.
 */
void arch_go_on(struct arch_regs *regs);
/* The register that ARCH_CALL_STOPS_HIDE is about. */
long arch_hidden(const struct arch_regs *regs);
void arch_set_hidden(struct arch_regs *regs, long value);
/* Of a thread that was given new registers: they are no result of the call that it made last.  Elsewhere the registers say so. */
void arch_forget_call(pid_t tid);

/* Undoes nothing and restarts nothing: regs are final as they stand (clears the kernel's idea of being in a call). */
void arch_no_restart(struct arch_regs *regs);

/* The call that arch_restart() set up, as it will be made (error is 0). */
void arch_pending_call(const struct arch_regs *regs, struct arch_interrupted *call);

/* Argument number i of a call that arch_restart() set up. */
void arch_set_argument(struct arch_regs *regs, int i, long value);

/*
 * Code shortly before pc that loads the number of the system call at pc (the usual form in C libraries).  text: len
 * bytes that end with the system call instruction.  Returns the number, -1 when it is not such a form, -2 when arguments tell
 * nothing, either: it is an instruction that takes others.
 */
long arch_decode_syscall(const uint8_t *text, size_t len);

/* How much of the len bytes of a register set means something: some kernels fill it up to the most that it can have. */
size_t arch_regset_len(unsigned int type, const void *set, size_t len);

/* Why the state of this thread, held, cannot be carried (shadow stacks, ...), NULL when it can. */
const char *arch_refuse(pid_t tid, const struct arch_regs *regs);

/*
 * The keys with which code signs pointers (ARCH_SIGNS): does the kernel not hand out those of the thread, which is held?  And does
 * this code sign any?
 */
bool arch_hides_keys(pid_t tid);
bool arch_signs(const uint8_t *text, size_t len);

/*
 * The way home.  Writes code to `to` (ARCH_HOME_MAX bytes) that will lie at address `at` of a task:
 *   at + 0               a system call instruction, by which the tracer lets the task map the area; behind it, always,
 *   at + walk            munmap(unmap, unmap_len), every signal being blocked; then
 *   at + unmask          signal mask (the old mask is written to old_mask if that is not 0); all registers; jump to
 *                        the program counter of regs.  With the registers of regs it may be entered at both.
 *   at + interrupted     the same for a thread that has a signal to handle as soon as its mask is open: a call that
 *                        returns EINTR for that does
 * A call that the kernel would have restarted is restarted by the code itself.  Returns the number of bytes.
 *
 * With a frame it ends by rt_sigreturn(2) instead, which brings back the mask, too: no signal is handled before that.
 */
struct arch_home {
	struct arch_regs regs;	/* as they were when the thread was stopped */
	struct arch_interrupted call;	/* in which system call, if any */
	uint64_t sigmask;	/* what must be blocked when home */
	uintptr_t unmap;
	size_t unmap_len;
	uintptr_t old_mask;
	uintptr_t near;		/* where arch_near() lies; 0: the program counter is within ARCH_HOME_REACH */
	uintptr_t frame;	/* where arch_frame() lies; 0: none */
};
struct arch_way {
	size_t walk, unmask, interrupted;
};
size_t arch_home(uint8_t *to, uintptr_t at, const struct arch_home *home, struct arch_way *way);

/*
 * Registers that every system call destroys, the one in which a thread would be led away, too.  Whoever is in a call does not
 * miss them; for one that was stopped in user mode they are read before, and a signal frame brings them back.
 *
 * Does the set hold more than a call leaves?
 */
bool arch_lost_lives(const void *lost, size_t len);
/* Takes out of a set what no kernel lets a tracer set, and no program misses. */
void arch_lost_settle(void *lost);
/*
 * A signal frame, for rt_sigreturn(2) with the stack pointer at `at`, a multiple of 16: all registers and the signal mask of
 * home; fp: the set NT_PRFPREG, lost: ARCH_REGSET_LOST, if lost_len is not 0.  Every byte of ARCH_FRAME_BYTES is written.
 */
void arch_frame(uint8_t *to, uintptr_t at, const struct arch_home *home, const void *fp, const void *lost, size_t lost_len);

/*
 * Takes out of the signal frames that kernels have written what not all kernels take back, where nothing is lost by that.  stack:
 * n bytes of a thread's memory, from the address at on, a multiple of 8.  takes: bits of ARCH_FRAME_WORD that may stay; those of
 * what is left are set in *needs.  Has any frame been changed?
 */
bool arch_frames_settle(uint8_t *stack, uint64_t at, size_t n, uint64_t takes, uint64_t *needs);

/* The bits of what this kernel takes.  Where there is no ARCH_FRAME_WORD, nobody asks. */
uint64_t arch_frames_taken(void);

/* The first bytes of a page [sigpage] that handlers return by, whichever kernel has called them. */
void arch_signal_page(uint8_t *page);

/* The last jump, for a way home that lies too far away (ARCH_NEAR_MAX): code for `at`, a multiple of 8. */
size_t arch_near(uint8_t *to, uintptr_t at, const struct arch_home *home);
/* Is that a last jump?  text: ARCH_NEAR_MAX bytes before the program counter, and as many from there on. */
bool arch_is_near(const uint8_t *text);

/*
 * From the interpreter to walk, the address of the way home's part of that name: position independent code that brings all
 * registers back that a system call before walk would not have changed.  Returns 0 where walk does that by itself.
 */
size_t arch_leave(uint8_t *to, const struct arch_home *home, uintptr_t walk);

/*
 * Tags of memory, one of four bits for each ARCH_TAG_BYTES: n of them, each in a byte, from and to the address at of a task
 * that is held.  The memory was mapped with ARCH_PROT_TAGS; it may be such that the task itself could not set them.  0 or a
 * negative errno.
 */
enum { ARCH_TAG_BYTES = 16 };
int arch_tags_read(pid_t tid, uint64_t at, uint8_t *tags, size_t n);
int arch_tags_write(pid_t tid, uint64_t at, uint8_t *tags, size_t n);

/*
 * Features of this machine that programs may have found and go on using, or that their registers are made for: a workload can
 * live only where every bit of them is set.  What has a size is told by bits, too: of lengths that may be chosen each has
 * one, of a length that must be the same the only one.  Bits that come and go without anybody's harm (the kernel's own, what
 * firmware tells) are left out; those that nobody knows yet are not.
 */
void arch_features(uint64_t words[ARCH_FEATURE_WORDS]);

/*
 * The bits' names, as in /proc/cpuinfo: of each word a text that a NUL ends, in it bit by bit the name, nothing where there is
 * none, and a comma between two.  In feature_names.c, there only with CONFIG_FEATURE_NAMES.
 */
extern const char arch_feature_names[];

/*
 * What stands in for the functions of a vDSO, there only with CONFIG_VDSO_PROXY (vdso.c).
 *
 * All functions that a vDSO of this architecture may have, by their names without __vdso_ or __kernel_ before them, up to one
 * without a name; and the system call that takes and returns the same, or one of these.
 */
struct arch_vdso_function {
	const char *name;
	short call;
};
enum {
	ARCH_VDSO_STAYS = -1,	/* it is code alone and reads none of the kernel's data: it may be used as it is */
	ARCH_VDSO_FAILS = -2,	/* there is no such call: it returns -ENOSYS */
	ARCH_VDSO_STUB_MAX = 32,
};
extern const struct arch_vdso_function arch_vdso_functions[];

/*
 * Code for the first bytes of a function: a jump to the stub, which lies less than 1 MiB away.  entry: the function's address
 * as its symbol has it.  Whatever the function was given must get there, and it may be in any state that a call comes in.
 */
size_t arch_vdso_entry(uint8_t *to, uintptr_t entry, uintptr_t stub);

/*
 * May *word, on a stack, be the program counter in a signal frame?  By its neighbours, the stack pointer and the flags: what was
 * left there by calls that are over has others.  The two words before and the two behind it can be read.
 */
bool arch_may_be_frame_pc(const unsigned long *word);

/*
 * The stub, at a multiple of 16: goes on to that function, wherever it is, with third, if that is not 0, as its third argument.
 * function 0: makes the call and returns; ARCH_VDSO_FAILS: fails.
 */
size_t arch_vdso_stub(uint8_t *to, uintptr_t function, uintptr_t third, long call);

#endif
