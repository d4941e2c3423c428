/* SPDX-License-Identifier: MIT */
#include "kernel/restart.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <time.h>

#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "kernel/task_memory.h"

/* signal(7), and the sources: what the kernel may go on with by restart_syscall(2). */
static const short going_on[] = {
	SYS_restart_syscall, SYS_nanosleep, SYS_clock_nanosleep,
	SYS_clock_nanosleep_time64, SYS_futex, SYS_futex_time64,
#ifdef SYS_poll
	SYS_poll,
#endif
};
/* What returns EINTR after any handler ... */
static const short nohand[] = {
	SYS_ppoll, SYS_ppoll_time64, SYS_pselect6, SYS_pselect6_time64, SYS_rt_sigsuspend,
	SYS_msgrcv, SYS_msgsnd,
#ifdef SYS_pause
	SYS_pause,
#endif
#ifdef SYS_select
	SYS_select,
#endif
#ifdef SYS__newselect
	SYS__newselect,
#endif
};
/* ... and after one without SA_RESTART. */
static const short restarted[] = {
	SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_recvfrom, SYS_recvmsg, SYS_sendto,
	SYS_sendmsg, SYS_accept, SYS_accept4, SYS_connect, SYS_wait4, SYS_waitid, SYS_futex, SYS_futex_time64, SYS_flock,
	SYS_fcntl, SYS_fcntl64, SYS_openat, SYS_ioctl, SYS_mq_timedsend, SYS_mq_timedsend_time64, SYS_mq_timedreceive,
	SYS_mq_timedreceive_time64, SYS_preadv2, SYS_pwritev2, SYS_splice, SYS_tee, SYS_vmsplice, SYS_sendfile, SYS_openat2,
	SYS_futex_waitv, SYS_futex_wait,
#ifdef SYS_open
	SYS_open,
#endif
#ifdef SYS_sendfile64
	SYS_sendfile64,
#endif
};

static bool is_among(const short *numbers, size_t n, long nr)
{
	while (n-- > 0)
		if (numbers[n] == nr)
			return true;
	return false;
}
#define IS_AMONG(array, nr) is_among(array, sizeof(array) / sizeof(*(array)), nr)

/* The call that it is about to make; false: it is not. */
static bool stands_at_call(pid_t pid, const struct arch_regs *regs, struct arch_interrupted *call)
{
	uint8_t text[ARCH_CALL_BYTES];

	arch_interrupted(regs, call);
	return !task_read(pid, text, arch_pc(regs), sizeof(text)) && arch_is_call(regs, text);
}

void restart_note(pid_t pid, pid_t tid, struct restart *restart)
{
	char text[256], *p = text;
	unsigned long word[9];	/* number, six arguments, stack pointer, program counter */
	size_t n = 0;

	*restart = (struct restart){ 0 };
	if (!ARCH_HIDES_RESTART || proc_readf(text, sizeof(text), "/proc/%d/task/%d/syscall", pid, tid) <= 0)
		return;
	/* "running", or "-1" and two words, where it is in no call */
	for (char *end; n < 9 && (word[n] = strtoul(p, &end, 0), end != p); n++)
		p = end;
	if (n < 9)
		return;
	restart->nr = (long)word[0];
	restart->first = (long)word[1];
	restart->at = word[8];
}

/* To the entry of its next call, if that is one that it may be about to go on with: 1, then; 0: it is not. */
static int to_entry(pid_t pid, pid_t tid, struct restart *restart)
{
	for (;;) {
		struct arch_interrupted call;
		struct arch_regs regs;
		struct stop stop;
		int err = thread_regs(tid, &regs);

		if (err || !stands_at_call(pid, &regs, &call) || !IS_AMONG(going_on, call.nr))
			return err;
		restart->first = call.args[0];
		/* of one that it is made to go on with, the first look told more */
		if (call.nr != arch_nr_restart_syscall || !restart->stood)
			restart->stood = call.nr;
		restart->hidden = arch_hidden(&regs);
		err = thread_to_syscall(tid, 0);
		if (!err)
			err = thread_wait(tid, &stop);
		if (!err && stop.kind == STOP_EXITED)
			err = -ESRCH;
		if (!err && stop.kind == STOP_SYSCALL)
			return 1;
		if (!err && stop.kind == STOP_SIGNAL) {
			err = thread_interrupt(tid);
			if (!err)
				err = thread_continue(tid, stop.signal);
			if (!err)
				err = thread_halted(tid, &stop);
		}
		if (err)
			return err;
	}
}

static bool would_lose(pid_t tid)
{
	uint8_t set[ARCH_REGSET_MAX];
	size_t len = sizeof(set);

	return ARCH_REGSET_LOST && !thread_regset(tid, ARCH_REGSET_LOST, set, &len) && arch_lost_lives(set, len);
}

/* The call that it stands at the entry of is not made: it stands before it again. */
static int step_back(pid_t tid)
{
	struct syscall_info info;
	struct arch_regs regs, none;
	struct stop stop;
	int err = thread_regs(tid, &regs);
	long first;

	if (err)
		return err;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0 || info.op != SYSCALL_INFO_ENTRY)
		return -EIO;
	first = (long)info.args[0];
	none = regs;
	arch_restart(&none, -1);
	err = thread_set_regs(tid, &none);
	if (!err)
		err = thread_to_syscall(tid, 0);
	if (!err)
		err = thread_wait(tid, &stop);
	if (!err && stop.kind != STOP_SYSCALL)
		err = -ESRCH;
	if (err)
		return err;
	arch_rewind(&regs, first);
	err = thread_set_regs(tid, &regs);
	if (!err)
		err = thread_interrupt(tid);
	if (!err)
		err = thread_continue(tid, 0);
	return err ? err : thread_halted(tid, &stop);
}

/*
 * To its next system call, if it makes one soon: there the registers that a call empties are dead, and no frame is needed to bring
 * them home (tree/frame.h), some of which outlasts a tool that is killed.
 */
static int to_next_call(pid_t tid)
{
	enum { TRIES = 100 };
	const struct timespec pause = { 0, 1000000 };
	struct stop stop = { 0 };
	int tries = 0, err = thread_to_syscall(tid, 0);

	while (!err) {
		err = tries < TRIES ? thread_poll(tid, &stop) : thread_wait(tid, &stop);
		if (err == -EAGAIN) {
			nanosleep(&pause, NULL);
			err = ++tries < TRIES ? 0 : thread_interrupt(tid);
			continue;
		}
		if (err || stop.kind != STOP_SIGNAL)
			break;
		/* any stop takes back the interrupt that was asked for */
		err = tries < TRIES ? 0 : thread_interrupt(tid);
		if (!err)
			err = thread_to_syscall(tid, stop.signal);
	}
	if (!err && stop.kind == STOP_SYSCALL)
		return step_back(tid);
	return err ? err : stop.kind == STOP_EXITED ? -ESRCH : 0;
}

/*
 * With an interrupt waiting for it the call returns at once, if only to be gone on with: at its exit the kernel has not yet
 * put that right, and the result tells.
 */
int restart_find(pid_t pid, pid_t tid, struct restart *restart)
{
	struct arch_regs regs;
	struct stop stop;
	int err;

	restart->error = 0;
	restart->taken = false;
	if (!ARCH_HIDES_RESTART)
		return 0;
	err = to_entry(pid, tid, restart);
	if (!err && would_lose(tid))
		return to_next_call(tid);
	if (err <= 0)
		return err;
	err = thread_interrupt(tid);
	if (!err)
		err = thread_to_syscall(tid, 0);
	if (!err)
		err = thread_wait(tid, &stop);
	if (!err && stop.kind != STOP_SYSCALL)
		err = -ESRCH;
	if (!err)
		err = thread_regs(tid, &regs);
	if (!err)
		restart->error = arch_restart_error(&regs);
	restart->taken = !err;
	return err;
}

int restart_regs(pid_t pid, pid_t tid, const struct restart *restart, struct arch_regs *regs, struct arch_interrupted *call)
{
	int err = thread_regs(tid, regs);

	if (err)
		return err;
	if (ARCH_CALL_STOPS_HIDE && restart->taken)
		arch_set_hidden(regs, restart->hidden);
	if (ARCH_HIDES_RESTART && restart->error) {
		arch_rewind(regs, restart->first);
		arch_restart(regs, restart->stood);
	}
	if (!ARCH_HIDES_RESTART)
		arch_interrupted(regs, call);
	else if (!stands_at_call(pid, regs, call))
		*call = (struct arch_interrupted){ 0 };
	else if (restart->error)
		call->error = restart->error;
	else if (IS_AMONG(nohand, call->nr))
		call->error = ARCH_ERESTARTNOHAND;
	else if (IS_AMONG(restarted, call->nr))
		call->error = ARCH_ERESTARTSYS;
	return 0;
}

bool restart_undo(const struct restart *restart, struct arch_regs *regs, long nr)
{
	if (!ARCH_HIDES_RESTART) {
		arch_restart(regs, nr);
		return true;
	}
	if (restart->nr != nr || restart->at != arch_pc(regs))
		return false;
	arch_rewind(regs, restart->first);
	return true;
}
