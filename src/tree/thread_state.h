/* SPDX-License-Identifier: MIT */
/* What each thread has for itself, on the way into the image: partly it is asked, partly seen from outside. */
#ifndef TINYCKPT_TREE_THREAD_STATE_H
#define TINYCKPT_TREE_THREAD_STATE_H

#include <signal.h>

#include "job/save.h"
#include "kernel/procfs.h"
#include "kernel/program.h"
#include "thread.pb.h"
#include "tree/settings.h"
#include "tree/visit.h"

/* What threads have, each for itself, and only they can tell: the operations that ask ... */
struct thread_facts {
	int tid_address, timerslack, securebits, user_tls, control;
	int rseq;	/* -1: not asked */
	long comm_at, altstack_at, tid_address_at, pdeathsig_at;
	struct settings_facts settings;
};

/* ... and what they said. */
struct thread_answers {
	char comm[COMM_LEN];
	bool no_tid_address, has_rseq, has_that_rseq;	/* one that is not known, the one that was guessed */
	stack_t altstack;
	unsigned long tid_address, user_tls;
	long control;	/* ARCH_PR_GET_CONTROL; negative or 0: there is none */
	int pdeathsig;
	unsigned long timerslack;
	unsigned int securebits;
	struct settings settings;
};

/* Adds the questions to a program of the thread. */
void thread_ask(struct program *p, struct thread_facts *f, const struct visitor *who);

/* The program was worked off, and read back. */
struct thread_answers thread_answers(const struct program *p, const struct thread_facts *f);

/*
 * What is seen from outside, be the thread stopped or at work: into m.  c: its credentials, NULL: to be read.  0 or a negative
 * errno, said.
 */
int thread_see(Thread *m, pid_t pid, pid_t tid, const struct proc_credentials *c);

/* Writes its Thread record, m being as thread_see() left it, and what is pending for it.  0 or a negative errno, said. */
int thread_save(struct save *s, Thread *m, const struct visitor *who, const struct thread_answers *a);

/* Writes the record of a leader that ended before the others: its name, credentials, scheduling.  0 or a negative errno, said. */
int thread_save_ended(struct save *s, const struct process *p);

/* Writes the signals that are pending for the thread, or (shared) for its process.  0 or a negative errno, said. */
int thread_save_pending(struct save *s, pid_t tid, bool shared);

#endif
