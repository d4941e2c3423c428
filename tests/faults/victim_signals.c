/* SPDX-License-Identifier: MIT */
/*
 * Signals that fly: queued ones with a sequence number to each noisy thread (none may be lost, doubled or overtaken),
 * two interval timers to the process, and handlers that look at what they interrupted before they let it go on. And signals
 * that stay: a queue of the main thread and one of the process, longer than a tool reads at once.
 */
#define _GNU_SOURCE
#include "victim.h"
#include "victim_arch.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_rt_sigtimedwait
#define SYS_rt_sigtimedwait SYS_rt_sigtimedwait_time64
#endif

_Atomic uint64_t signals_alarms;
bool signals_unblocked;

static __thread sigjmp_buf jump_back;
static __thread volatile sig_atomic_t jump_armed;

/* Blocked everywhere and always; not there where noisy threads are to block nothing. */
#define STAY_THREAD (SIGRTMIN + 3)
#define STAY_PROCESS (SIGRTMIN + 4)
enum { STAYING = 18 };

static uint64_t bit(int sig)
{
	return 1ULL << (sig - 1);
}

static uint64_t flying(void)
{
	const uint64_t stay = signals_unblocked ? 0 : bit(STAY_THREAD) | bit(STAY_PROCESS);

	return bit(SIGRTMIN) | bit(SIGRTMIN + 1) | bit(SIGRTMIN + 2) | bit(SIGALRM) | bit(SIGVTALRM) | stay;
}

/* Straight from the kernel, whose set is 8 bytes wherever signals end at 64. */
static uint64_t kernel_mask(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	return mask;
}

void signals_check_mask(struct worker *w)
{
	uint64_t mask = kernel_mask();

	if (mask != w->mask)
		violation("the signal mask is %#" PRIx64 ", was %#" PRIx64, mask, w->mask);
}

void signals_thread_mask(struct worker *w)
{
	w->mask = flying();
	if (w->noisy && signals_unblocked)
		w->mask = 0;
	if (w->noisy)
		w->mask &= ~(bit(SIGRTMIN) | bit(SIGALRM) | bit(SIGVTALRM));
	if (w->eintr)
		w->mask &= ~bit(SIGRTMIN + 1);
	if (w->jumps)
		w->mask &= ~bit(SIGRTMIN + 2);
}

void signals_open(struct worker *w)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &w->mask, NULL, sizeof(w->mask));
}

static void check_interrupted(struct worker *w, void *context)
{
	const ucontext_t *frame = context;
	const char *why;
	uint64_t mask;

	if (!w || w->magic != ((uintptr_t)w ^ (uint64_t)syscall(SYS_gettid)))
		violation("a handler runs without the thread's own data (TLS)");
	memcpy(&mask, &frame->uc_sigmask, sizeof(mask));
	if (mask != w->mask)
		violation("a handler interrupted the signal mask %#" PRIx64 ", should be %#" PRIx64, mask, w->mask);
	why = arch_check_interrupted(frame);
	if (why)
		violation("%s", why);
	mask = kernel_mask();
	if (mask != (w->mask | flying()))
		violation("inside a handler the signal mask is %#" PRIx64, mask);
}

static void on_timer(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)info;
	check_interrupted(self, context);
	if (sig == SIGALRM)
		atomic_fetch_add(&signals_alarms, 1);
	self->handled++;
	atomic_fetch_add(&self->slot->signals, 1);
	arch_scribble();
	errno = saved;
}

static void on_sequence(int sig, siginfo_t *info, void *context)
{
	int saved = errno, which = sig - SIGRTMIN, number = info->si_value.sival_int;

	check_interrupted(self, context);
	if (info->si_code != SI_QUEUE || info->si_pid != self->pid)
		violation("signal %d came with code %d from pid %d", sig, info->si_code, (int)info->si_pid);
	if (number != atomic_load(&self->expected[which]))
		violation("signal %d number %d arrived instead of number %d", sig, number, self->expected[which]);
	atomic_fetch_add(&self->expected[which], 1);
	self->handled++;
	atomic_fetch_add(&self->slot->signals, 1);
	arch_scribble();
	errno = saved;
	if (which == SEQ_JUMP && jump_armed)
		siglongjmp(jump_back, 1);
}

static void on_crash(int sig, siginfo_t *info, void *context)
{
	(void)context;
	violation("killed by signal %d (code %d, address %p)", sig, info->si_code, info->si_addr);
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&action.sa_mask);
	for (int i = 0; i < 3; i++)
		sigaddset(&action.sa_mask, SIGRTMIN + i);
	sigaddset(&action.sa_mask, SIGALRM);
	sigaddset(&action.sa_mask, SIGVTALRM);
	sigaction(sig, &action, NULL);
}

void signals_start(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS };
	struct itimerval each = { { 0, 2000 * slow }, { 0, 2000 * slow } };
	struct itimerval worked = { { 0, 5000 * slow }, { 0, 5000 * slow } };
	uint64_t all = flying();

	/* Blocked first: the main thread takes none of them, and new threads open up when they are ready. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	handle(SIGRTMIN + SEQ_RESTART, on_sequence, SA_RESTART);
	handle(SIGRTMIN + SEQ_EINTR, on_sequence, 0);
	handle(SIGRTMIN + SEQ_JUMP, on_sequence, SA_RESTART);
	handle(SIGALRM, on_timer, SA_RESTART);
	handle(SIGVTALRM, on_timer, SA_RESTART);
	for (unsigned i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		handle(crashes[i], on_crash, 0);
	setitimer(ITIMER_REAL, &each, NULL);
	setitimer(ITIMER_VIRTUAL, &worked, NULL);
}

static void stay(int sig, int number)
{
	siginfo_t info = { .si_code = SI_QUEUE };
	const pid_t pid = getpid();

	info.si_pid = pid;
	info.si_uid = getuid();
	info.si_value.sival_int = number;
	while (sig == STAY_THREAD ? syscall(SYS_rt_tgsigqueueinfo, pid, pid, sig, &info) : syscall(SYS_rt_sigqueueinfo, pid, sig, &info))
		if (errno != EAGAIN) /* all that a user may have pending: those that fly will be taken */
			violation("signal %d cannot be queued: %s", sig, strerror(errno));
}

void signals_stay(void)
{
	if (signals_unblocked)
		return;
	for (int i = 0; i < STAYING; i++) {
		stay(STAY_THREAD, i);
		stay(STAY_PROCESS, i);
	}
}

static void check_staying(int sig)
{
	const int64_t at_once[2] = { 0, 0 }; /* zero in every layout of timespec */
	const uint64_t set = bit(sig);
	siginfo_t info;

	for (int i = 0; i < STAYING; i++) {
		if (syscall(SYS_rt_sigtimedwait, &set, &info, at_once, sizeof(set)) != sig)
			violation("only %d of %d instances of signal %d are pending", i, STAYING, sig);
		if (info.si_value.sival_int != i)
			violation("signal %d number %d was pending instead of number %d", sig, info.si_value.sival_int, i);
	}
	for (int i = 0; i < STAYING; i++)
		stay(sig, i);
}

void signals_check_staying(void)
{
	if (signals_unblocked)
		return;
	check_staying(STAY_THREAD);
	check_staying(STAY_PROCESS);
}

/* A few may wait in the queue, not hundreds: a thread that had to stand still is not to be flooded. */
static void send_next(struct worker *to, int which)
{
	siginfo_t info = { .si_code = SI_QUEUE };
	int number = to->sent[which];

	if (number - atomic_load(&to->expected[which]) > 8)
		return;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = number;
	if (!syscall(SYS_rt_tgsigqueueinfo, getpid(), to->tid, SIGRTMIN + which, &info))
		to->sent[which]++;
	else if (errno != EAGAIN)
		violation("rt_tgsigqueueinfo: %s", strerror(errno));
}

void round_send(struct worker *w)
{
	struct timespec nap = { 0, 2000000 * slow };

	(void)w;
	if (nanosleep(&nap, NULL))
		violation("the sender's nanosleep: %s", strerror(errno));
	for (int i = 0; i < workers.count; i++) {
		struct worker *to = &workers.list[i];

		if (to->noisy)
			send_next(to, SEQ_RESTART);
		if (to->eintr)
			send_next(to, SEQ_EINTR);
		if (to->jumps)
			send_next(to, SEQ_JUMP);
	}
}

/* Is thrown out of pinned loops and out of calls; what siglongjmp promises to bring back must be there. */
void round_jump(struct worker *w)
{
	volatile uint64_t kept = w->rounds * 11;
	struct timespec nap = { 0, 20000000 * slow };

	if (!sigsetjmp(jump_back, 1)) {
		jump_armed = 1;
		for (;;) {
			const char *why;

			if (w->rounds % 8) {
				nanosleep(&nap, NULL);
				continue;
			}
			why = arch_spin_registers(kept, 100000);
			if (why)
				violation("%s", why);
		}
	}
	jump_armed = 0;
	if (kept != w->rounds * 11)
		violation("after siglongjmp a local variable has changed");
}
