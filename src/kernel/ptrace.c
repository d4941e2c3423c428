/* SPDX-License-Identifier: MIT */
#include "kernel/ptrace.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/task_memory.h"
#include "kernel/timens.h"

static int request(int what, pid_t tid, unsigned long addr, unsigned long data)
{
	return ptrace(what, tid, (void *)addr, (void *)data) < 0 ? -errno : 0;
}

int thread_seize(pid_t tid, unsigned long options)
{
	return request(PTRACE_SEIZE, tid, 0, options);
}

int thread_untie(pid_t tid)
{
	int status;

	waitpid(tid, &status, __WALL | WNOHANG);
	return request(PTRACE_SETOPTIONS, tid, 0, 0);
}

void thread_doom(pid_t tid)
{
	struct robust_list_head *head, empty = { 0 };
	size_t len;

	request(PTRACE_SETOPTIONS, tid, 0, PTRACE_O_EXITKILL);
	if (syscall(SYS_get_robust_list, tid, &head, &len))
		return;
	empty.list.next = &head->list;
	(void)task_write(tid, (uintptr_t)head, &empty, sizeof(empty));
}

int thread_tell_exit(pid_t tid)
{
	return request(PTRACE_SETOPTIONS, tid, 0, PTRACE_O_TRACEEXIT);
}

int thread_interrupt(pid_t tid)
{
	return request(PTRACE_INTERRUPT, tid, 0, 0);
}

enum { PARTS = 8, LOOKS_AT_ONCE = 200 };
static volatile sig_atomic_t parts;	/* of the time that have passed */

/* Where the kernel has no timers (CONFIG_POSIX_TIMERS) the clock tells, and nothing may be waited for asleep.  -1: it has. */
static int64_t by_clock = -1;
static int64_t part_ns;

static bool has_passed(int n)
{
	return IS_ON_BARE_KERNELS && by_clock >= 0 ? part_ns && clock_now(CLOCK_MONOTONIC) - by_clock >= n * part_ns : parts >= n;
}

static bool deadline_passed(void)
{
	return has_passed(PARTS);
}

static void (*meanwhile)(const void *arg);
static const void *meanwhile_arg;

void wait_meanwhile(void (*what)(const void *arg), const void *arg)
{
	meanwhile_arg = arg;
	meanwhile = what;
}

static void on_part(int sig)
{
	/* repeated, should it come just before a call */
	const struct itimerval soon = { { 0, 20000 }, { 0, 20000 } };

	const int error = errno;

	(void)sig;
	if (IS_ON_EXECS && meanwhile)
		meanwhile(meanwhile_arg);
	errno = error;
	if (++parts == PARTS)
		setitimer(ITIMER_REAL, &soon, NULL);
}

void wait_deadline(unsigned int ms)
{
	/* without SA_RESTART: a waitid(2) that waits in vain returns */
	const struct sigaction action = { .sa_handler = on_part };
	const unsigned int part_ms = ms / PARTS;
	const struct timeval part = { part_ms / 1000, (long)(part_ms % 1000) * 1000 };
	const struct itimerval timer = { part, part };
	static bool ready;

	parts = 0;
	if (!ready)
		sigaction(SIGALRM, &action, NULL);
	ready = true;
	if (setitimer(ITIMER_REAL, &timer, NULL) && IS_ON_BARE_KERNELS && errno == ENOSYS) {
		by_clock = clock_now(CLOCK_MONOTONIC);
		part_ns = (int64_t)part_ms * 1000000;
	}
}

bool wait_half_over(void)
{
	return has_passed(PARTS / 2);
}

/* Is nothing there to wake us when the time has passed? */
static bool stays_awake(void)
{
	return IS_ON_BARE_KERNELS && by_clock >= 0 && part_ns;
}

static void look_again(unsigned int looks)
{
	const struct timespec pause = { 0, 1000000 };

	if (looks < LOOKS_AT_ONCE)
		sched_yield();
	else
		nanosleep(&pause, NULL);
}

pid_t wait_child(pid_t pid, int *status, int options)
{
	pid_t ended;

	if (!stays_awake())
		return waitpid(pid, status, options);
	for (unsigned int looks = 0; !(ended = waitpid(pid, status, options | WNOHANG)); looks++) {
		const bool late = wait_half_over();

		look_again(late ? LOOKS_AT_ONCE : looks);
		if (late) {
			errno = EINTR;
			return -1;
		}
	}
	return ended;
}

/* Of a main thread that was killed the kernel tells only when the others, killed like it, have been taken note of. */
static bool has_died(pid_t tid)
{
	struct proc_stat st;

	return !proc_stat(tid, 0, &st) && (st.state == 'Z' || st.state == 'X');
}

static int wait_for(pid_t tid, int options, struct stop *stop)
{
	siginfo_t info;
	int event;

	for (unsigned int looks = 0;; looks++) {
		const bool awake = stays_awake() && !(options & WNOHANG);

		info.si_pid = 0;
		if (!waitid(P_PID, (id_t)tid, &info, WEXITED | WSTOPPED | WNOWAIT | __WALL | options | (awake ? WNOHANG : 0))) {
			if (info.si_pid || !awake)
				break;
			look_again(looks);
		} else if (errno != EINTR) {
			return -errno;
		}
		if (deadline_passed())
			return -ETIMEDOUT;
		if ((!awake || looks >= LOOKS_AT_ONCE) && has_died(tid)) {
			stop->kind = STOP_EXITED;
			return 0;
		}
	}
	if (!info.si_pid)
		return deadline_passed() ? -ETIMEDOUT : -EAGAIN;
	memset(stop, 0, sizeof(*stop));
	if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED) {
		stop->kind = STOP_EXITED;
		return 0;
	}
	stop->signal = info.si_status & 0x7f;
	event = info.si_status >> 8;
	if (event == PTRACE_EVENT_STOP)
		stop->kind = stop->signal == SIGTRAP ? STOP_INTERRUPT : STOP_GROUP;
	else if (event)
		stop->kind = STOP_EVENT;
	else
		stop->kind = info.si_status & 0x80 ? STOP_SYSCALL : STOP_SIGNAL;
	return 0;
}

int thread_wait(pid_t tid, struct stop *stop)
{
	return wait_for(tid, 0, stop);
}

int thread_poll(pid_t tid, struct stop *stop)
{
	return wait_for(tid, WNOHANG, stop);
}

int thread_continue(pid_t tid, int signal)
{
	return request(PTRACE_CONT, tid, 0, (unsigned long)signal);
}

int thread_to_syscall(pid_t tid, int signal)
{
	return request(PTRACE_SYSCALL, tid, 0, (unsigned long)signal);
}

int thread_detach(pid_t tid, int signal)
{
	return request(PTRACE_DETACH, tid, 0, (unsigned long)signal);
}

int thread_halt(pid_t tid, struct stop *stop)
{
	int err = thread_interrupt(tid);

	return err ? err : thread_halted(tid, stop);
}

static int halted(pid_t tid, int options, struct stop *stop)
{
	int err = 0;

	while (!err && !(err = wait_for(tid, options, stop))) {
		if (stop->kind == STOP_EXITED)
			return -ESRCH;
		if (stop->kind == STOP_INTERRUPT || stop->kind == STOP_GROUP)
			return 0;
		/* any stop takes back the interrupt that was asked for: ask again before it goes on */
		err = thread_interrupt(tid);
		if (!err)
			err = thread_continue(tid, stop->kind == STOP_SIGNAL ? stop->signal : 0);
	}
	return err;
}

int thread_halted(pid_t tid, struct stop *stop)
{
	return halted(tid, 0, stop);
}

int thread_poll_halted(pid_t tid, struct stop *stop)
{
	return halted(tid, WNOHANG, stop);
}

int thread_reap(pid_t tid)
{
	int status;

	for (;;) {
		pid_t ended = wait_child(tid, &status, __WALL);

		if (ended != tid && errno != EINTR)
			return 0;
		if (ended != tid && deadline_passed())
			return fail(ETIMEDOUT, "task %d was killed and does not end: it is frozen, or waits for a device", tid);
		if (ended == tid && (WIFEXITED(status) || WIFSIGNALED(status)))
			return 0;
		if (ended == tid)
			ptrace(PTRACE_CONT, tid, NULL, NULL);
	}
}

int thread_regset(pid_t tid, unsigned int type, void *data, size_t *len)
{
	struct iovec iov = { data, *len };
	int err = request(PTRACE_GETREGSET, tid, type, (unsigned long)&iov);

	*len = err ? iov.iov_len : arch_regset_len(type, data, iov.iov_len);
	return err;
}

int thread_set_regset(pid_t tid, unsigned int type, const void *data, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };

	return request(PTRACE_SETREGSET, tid, type, (unsigned long)&iov);
}

int thread_fill_regset(pid_t tid, unsigned int type, const void *data, size_t len)
{
	uint8_t whole[ARCH_REGSET_WHOLE ? ARCH_REGSET_MAX : 1];
	size_t whole_len = sizeof(whole);

	if (!ARCH_REGSET_WHOLE || type != ARCH_REGSET_WHOLE || thread_regset(tid, type, whole, &whole_len) || whole_len <= len)
		return thread_set_regset(tid, type, data, len);
	memcpy(whole, data, len);
	memset(whole + len, 0, whole_len - len);
	return thread_set_regset(tid, type, whole, whole_len);
}

int thread_regs(pid_t tid, struct arch_regs *regs)
{
	size_t len = sizeof(*regs);

	*regs = (struct arch_regs){ 0 };	/* a 32-bit program on a 64-bit kernel has less, and stands nowhere */
	return thread_regset(tid, NT_PRSTATUS, regs, &len);
}

int thread_set_regs(pid_t tid, const struct arch_regs *regs)
{
	int err = thread_set_regset(tid, NT_PRSTATUS, regs, sizeof(*regs));

	if (!err)
		arch_forget_call(tid);
	return err;
}

int thread_sigmask(pid_t tid, uint64_t *mask)
{
	return request(PTRACE_GETSIGMASK, tid, sizeof(*mask), (unsigned long)mask);
}

int thread_set_sigmask(pid_t tid, uint64_t mask)
{
	return request(PTRACE_SETSIGMASK, tid, sizeof(mask), (unsigned long)&mask);
}

int thread_pending(pid_t tid, bool shared, uint64_t from, siginfo_t *infos, int max)
{
	struct __ptrace_peeksiginfo_args peek = { .off = from, .flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0, .nr = max };
	long n = 0;

	/* a signal of the tool's own cuts an answer short: only an empty one is the end */
	while (peek.nr > 0 && (n = ptrace(PTRACE_PEEKSIGINFO, tid, &peek, infos + (max - peek.nr))) > 0) {
		peek.off += (uint64_t)n;
		peek.nr -= (int)n;
	}
	return n < 0 ? -errno : max - peek.nr;
}
