/* SPDX-License-Identifier: MIT */
/* A worker is a thread of the victim: it does one thing over and over and checks what it sees. */
#ifndef TESTS_FAULTS_VICTIM_H
#define TESTS_FAULTS_VICTIM_H

#include "heartbeat.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct worker {
	const char *name;
	void (*round)(struct worker *self); /* one round of work; a heartbeat follows each */
	bool noisy;			    /* signals fly at it; the others have them all blocked */
	bool eintr;			    /* also one whose handler does not restart calls */
	bool jumps;			    /* also one whose handler leaves by siglongjmp */

	struct slot *slot;
	pid_t pid, tid;
	uint64_t mask; /* of the kernel's signal set, as it must be at all times outside of handlers */
	uint64_t rounds;
	uint64_t magic;
	_Atomic int expected[3]; /* next sequence number for each of the three signals */
	_Atomic int sent[3];
	volatile uint64_t handled; /* handlers that ran, to tell a rightful EINTR from a wrong one */
};

enum { SEQ_RESTART, SEQ_EINTR, SEQ_JUMP, SEQS };

/* Reports the first violation and ends the process with status 1. */
void violation(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

struct workers {
	struct worker *list;
	int count;
};
extern struct workers workers;
extern __thread struct worker *self;
extern long slow; /* all waits and the time between signals are that many times longer: emulation would do nothing else */

/* victim_spin.c */
void spin_start(void);
void round_registers(struct worker *w);
void round_flags(struct worker *w);
void round_vectors(struct worker *w);
void round_memory(struct worker *w);

/* victim_calls.c */
void calls_start(void);
void round_sleep(struct worker *w);
void round_poll(struct worker *w);
void round_futex(struct worker *w);
void round_ping(struct worker *w);
void round_pong(struct worker *w);
void round_noisy(struct worker *w);

/* victim_signals.c */
void signals_start(void);
void signals_thread_mask(struct worker *w);
void signals_open(struct worker *w);
void signals_check_mask(struct worker *w);
void signals_stay(void);
void signals_check_staying(void);
void round_send(struct worker *w);
void round_jump(struct worker *w);
extern _Atomic uint64_t signals_alarms;
extern bool signals_unblocked; /* set before all else: noisy threads block no signal at all */

/* victim_carry.c */
void carry_start(const char *heartbeat_path);
void carry_check(void); /* nothing, when that was not called */

/* victim_census.c */
void census_start(void);
void census_descriptors(void);
void census_mappings(void);

#endif
