/* SPDX-License-Identifier: MIT */
/* What the ptrace drivers of these tests need to know of an architecture; each has its trace_ARCH.c. */
#ifndef TESTS_FAULTS_TRACE_ARCH_H
#define TESTS_FAULTS_TRACE_ARCH_H

#include <sys/types.h>

/* At a stop on system call entry: let the kernel skip it. At the exit: the answer that the program will see. */
void arch_skip_call(pid_t tid);
void arch_set_result(pid_t tid, long result);

/* For deliberate harm, at a signal-type stop. 0, -1 when it could not be done, or ARCH_HAS_NONE. */
enum { ARCH_HAS_NONE = 1 };
int arch_flip_register(pid_t tid);		  /* one bit of a register that every pinned stretch holds */
int arch_flip_flag(pid_t tid);			  /* one flag */
int arch_flip_vector(pid_t tid);		  /* one bit in the vector registers */
int arch_flip_red_zone(pid_t tid);		  /* a byte below the stack pointer that the program may rely on */
int arch_in_user_loop(pid_t tid);		  /* 1: not inside a system call */
int arch_end_call(pid_t tid, long result);	  /* the call that the stop interrupted returns this at once */
int arch_inject(pid_t tid, long number, const long argument[6], long *result); /* a call; then all is put back */

#endif
