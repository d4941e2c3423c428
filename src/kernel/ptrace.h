/* SPDX-License-Identifier: MIT */
/* Holding threads still (ptrace(2), PTRACE_SEIZE).  All return 0 or a negative errno and say nothing unless told. */
#ifndef TINYCKPT_KERNEL_PTRACE_H
#define TINYCKPT_KERNEL_PTRACE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch.h"

/* Attaches without stopping.  -EPERM also when another tracer is there.  options: PTRACE_O_*. */
int thread_seize(pid_t tid, unsigned long options);
/*
 * Makes a thread that is held survive the tool.  The trap that it stands at is taken note of: else it would be delivered
 * should the tool die, and a SIGTRAP is deadly.
 */
int thread_untie(pid_t tid);

/*
 * The opposite, for a thread that stands still and is about to be killed: it dies with the tool.  Of the robust futexes that it
 * holds the kernel would write that their owner died, also into a file, which is there for its next life: it forgets its list.
 */
void thread_doom(pid_t tid);

/* A thread that stands still survives the tool, and stops once more (STOP_EVENT) when it ends. */
int thread_tell_exit(pid_t tid);

int thread_interrupt(pid_t tid);

/* How a thread came to stand still. */
enum stop_kind {
	STOP_INTERRUPT,	/* PTRACE_INTERRUPT, or born under a tracer */
	STOP_GROUP,	/* the process is stopped (SIGSTOP and its kin) */
	STOP_SIGNAL,	/* a signal is about to be delivered: it must be given back with thread_continue() */
	STOP_SYSCALL,	/* before or after a system call */
	STOP_EVENT,	/* another ptrace event */
	STOP_EXITED,	/* it is no more */
};
struct stop {
	enum stop_kind kind;
	int signal;	/* STOP_SIGNAL, STOP_GROUP: which */
};

/*
 * Waits until tid stands still.  The kernel's record of the stop is left in place (WNOWAIT): should the tool die here,
 * a signal about to be delivered is still delivered.  -ETIMEDOUT after the time of wait_deadline().
 */
int thread_wait(pid_t tid, struct stop *stop);

/* Same, but at once: -EAGAIN when it runs. */
int thread_poll(pid_t tid, struct stop *stop);

/* From now on thread_wait() and thread_reap() give up after so many milliseconds in all; 0: never. */
void wait_deadline(unsigned int ms);

/*
 * From now on what(arg) is called at each eighth of that time, in a signal handler: for a call that the kernel begins anew by itself
 * after one, and that may be waiting for us.  NULL: no more.
 */
void wait_meanwhile(void (*what)(const void *arg), const void *arg);

/* Has half of that time passed?  Who has waited for something else meanwhile gives the threads their time anew. */
bool wait_half_over(void);

/* As waitpid(2), which does not wait beyond half of that time: -1 and EINTR then. */
pid_t wait_child(pid_t pid, int *status, int options);

int thread_continue(pid_t tid, int signal);
int thread_to_syscall(pid_t tid, int signal);	/* runs to the next entry or exit of a system call */
int thread_detach(pid_t tid, int signal);

/*
 * Stops a seized thread at a place where the kernel restarts an interrupted call by itself; signals that come in
 * between are delivered.  stop says how it stands: interrupted or in a group stop.
 */
int thread_halt(pid_t tid, struct stop *stop);

/* The second half of it, for a thread whose interrupt was asked for: a second one would wait for the next time it runs. */
int thread_halted(pid_t tid, struct stop *stop);

/* Same, but at once: -EAGAIN when it does not stand yet. */
int thread_poll_halted(pid_t tid, struct stop *stop);

/*
 * Takes note of the death of a traced thread that was killed, so that its parent can; waits for it.  0, or -ETIMEDOUT, said: it
 * is where no signal reaches it.
 */
int thread_reap(pid_t tid);

int thread_regs(pid_t tid, struct arch_regs *regs);
int thread_set_regs(pid_t tid, const struct arch_regs *regs);

/* A register set by its NT_ type; *len in: room, out: bytes.  -EINVAL or -ENODEV: there is none of the kind. */
int thread_regset(pid_t tid, unsigned int type, void *data, size_t *len);
int thread_set_regset(pid_t tid, unsigned int type, const void *data, size_t len);
/* The same of another machine's data, which may have less of ARCH_REGSET_WHOLE. */
int thread_fill_regset(pid_t tid, unsigned int type, const void *data, size_t len);

/* The signals that are blocked (bit 0: signal 1); inside sigsuspend the mask that it will restore. */
int thread_sigmask(pid_t tid, uint64_t *mask);
int thread_set_sigmask(pid_t tid, uint64_t mask);

/* Up to so many of the signals that are pending for it, or (shared) for its process, from that number on.  How many. */
int thread_pending(pid_t tid, bool shared, uint64_t from, siginfo_t *infos, int max);

#endif
