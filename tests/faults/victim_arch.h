/* SPDX-License-Identifier: MIT */
/*
 * What the victim needs to know of an architecture: each has its victim_ARCH.c, and nothing else knows a register.
 * A check answers NULL when all is well, else a text that says what differed. Seeds choose the patterns.
 */
#ifndef TESTS_FAULTS_VICTIM_ARCH_H
#define TESTS_FAULTS_VICTIM_ARCH_H

#include <stdint.h>
#include <ucontext.h>

/* Once per thread, before the first check. */
void arch_thread_start(void);

/* Every general register and the red zone pinned during a loop in user mode. */
const char *arch_spin_registers(uint64_t seed, uint64_t rounds);

/* The flags pinned too, at the price of a register that counts. */
const char *arch_spin_flags(uint64_t seed, uint64_t rounds);

/* Every vector and FPU register that this CPU has, with control words. */
const char *arch_spin_vectors(uint64_t seed, uint64_t rounds);

/* A system call with everything pinned that the kernel promises to keep. *result: 0 or more, or a negative errno. */
const char *arch_pinned_syscall(uint64_t seed, long number, const long *argument, int arguments, long *result);

/* In a handler: does the signal frame hold the pattern of the pinned stretch that the signal interrupted? */
const char *arch_check_interrupted(const ucontext_t *frame);

/* In a handler: overwrite all that only the signal frame still holds. */
void arch_scribble(void);

#endif
