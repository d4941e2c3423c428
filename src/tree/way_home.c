/* SPDX-License-Identifier: MIT */
#include "tree/way_home.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/task_memory.h"
#include "tree/dead_bytes.h"
#include "tree/frame.h"

static const uint64_t ALL_SIGNALS = ~0ULL;

/*
 * Inside a restartable sequence (rseq(2)) a thread that is taken off its processor goes on at the abort handler; led
 * away and back, nobody else would see to that.
 */
static void leave_restartable_sequence(const struct visit *v, struct visitor *who)
{
	const uint64_t rseq = who->rseq.rseq_abi_pointer;
	struct {
		uint32_t version, flags;
		uint64_t start_ip, post_commit_offset, abort_ip;
	} cs;
	uint64_t cs_at = 0, none = 0;
	enum { RSEQ_CS = 8 };	/* offset in struct rseq */

	/* in a call it is in none */
	if (!rseq || who->home.call.error || task_read(v->pid, &cs_at, rseq + RSEQ_CS, sizeof(cs_at)) || !cs_at ||
	    task_read(v->pid, &cs, cs_at, sizeof(cs)))
		return;
	if (arch_pc(&who->home.regs) - cs.start_ip >= cs.post_commit_offset)
		return;
	arch_set_pc(&who->home.regs, cs.abort_ip);
	task_write(v->pid, rseq + RSEQ_CS, &none, sizeof(none));
}

/*
 * These return EINTR when a thread is merely stopped (signal(7)); when no signal is there to be handled they are made
 * anew, as the kernel itself does with all others.  handled: the signals that would be.  Was it so?
 */
static bool undo_interruption(pid_t pid, pid_t tid, const struct restart *restart, uint64_t handled, struct arch_regs *regs)
{
	static const short calls[] = { SYS_rt_sigtimedwait, SYS_rt_sigtimedwait_time64, SYS_semop, SYS_semtimedop,
				      SYS_semtimedop_time64, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_io_getevents,
#ifdef SYS_epoll_wait
				      SYS_epoll_wait,
#endif
	};
	const long nr = arch_cut_short(regs);
	struct proc_status st;
	size_t i = 0;

	while (i < sizeof(calls) / sizeof(*calls) && nr != calls[i])
		i++;
	return i < sizeof(calls) / sizeof(*calls) && !proc_status(pid, tid, &st) && !((st.sig_pending | st.shared_pending) & handled) &&
	       restart_undo(restart, regs, nr);
}

/* What a signal does that comes while a thread stands at a call. */
enum effect { NOTHING, ENDS_CALL, ELSE };

static enum effect effect_of(const struct process *p, pid_t tid, int sig, int error)
{
	static const uint64_t ignored = 1ULL << (SIGCHLD - 1) | 1ULL << (SIGURG - 1) | 1ULL << (SIGWINCH - 1);
	const uint64_t bit = 1ULL << (sig - 1);
	struct proc_status st;

	if (proc_status(p->tid, tid, &st))
		return ELSE;
	if (!(st.sig_caught & bit))
		return (st.sig_ignored | ignored) & bit ? NOTHING : ELSE;
	return error == ARCH_ERESTARTNOHAND || p->no_sa_restart & bit ? ENDS_CALL : ELSE;
}

/* Before a signal it stays, which it is given when it is let go; meanwhile nothing of the workload may run. */
static void step_into_call(const struct process *p, struct thread *thread)
{
	static const struct restart none;
	struct arch_interrupted call;
	struct arch_regs regs;
	struct stop stop;
	enum effect effect = NOTHING;

	while (effect == NOTHING && !restart_regs(p->tid, thread->tid, &none, &regs, &call) && call.error) {
		if (thread_to_syscall(thread->tid, 0) || thread_wait(thread->tid, &stop))
			return;
		thread->in_call = stop.kind != STOP_INTERRUPT;
		if (stop.kind == STOP_SIGNAL)
			effect = effect_of(p, thread->tid, stop.signal, call.error);
		else if (thread->in_call)
			return;
		if (effect != NOTHING)
			thread->signal = stop.signal;
		if (effect == ENDS_CALL) {
			arch_end_call(&regs, -EINTR);
			(void)thread_set_regs(thread->tid, &regs);
		}
	}
}

void way_into_calls(struct process *p)
{
	for (size_t i = 0; i < p->threads_n; i++)
		step_into_call(p, &p->threads[i]);
}

/* The signals that its mask holds back here may be let through by the call that it is in: none may be pending. */
void way_let_go(pid_t pid, const struct thread *thread)
{
	struct arch_regs regs;

	if (!thread->in_call && !thread_regs(thread->tid, &regs) &&
	    undo_interruption(pid, thread->tid, &thread->restart, ALL_SIGNALS, &regs))
		thread_set_regs(thread->tid, &regs);
	thread_detach(thread->tid, thread->signal);
}

int way_stand_at(const struct visitor *who, size_t offset)
{
	struct arch_regs regs = who->home.regs;

	arch_set_home(&regs, who->stub + offset);
	return thread_set_regs(who->tid, &regs);
}

/* The signal that it will handle as soon as its mask is open; 0: none. */
static int first_to_handle(const struct visit *v, const struct visitor *who)
{
	struct proc_status st;
	uint64_t own, shared;

	if (proc_status(v->pid, who->tid, &st))
		return 0;
	own = st.sig_pending & st.sig_caught & ~who->home.sigmask;
	shared = st.shared_pending & st.sig_caught & ~who->home.sigmask;
	return own ? __builtin_ctzll(own) + 1 : shared ? __builtin_ctzll(shared) + 1 : 0;
}

/* Its registers at home.  Where the kernel knows no more of the call that it was in, a signal ends it here. */
static struct arch_regs regs_at_home(const struct visit *v, const struct visitor *who)
{
	const int error = who->home.call.error;
	struct arch_regs regs = who->home.regs;
	int sig;

	if (ARCH_HIDES_RESTART && error == ARCH_ERESTART_RESTARTBLOCK)
		arch_go_on(&regs);
	if (!ARCH_HIDES_RESTART || (error != ARCH_ERESTARTNOHAND && error != ARCH_ERESTARTSYS))
		return regs;
	sig = first_to_handle(v, who);
	if (sig && (error == ARCH_ERESTARTNOHAND || v->p->no_sa_restart >> (sig - 1) & 1))
		arch_end_call(&regs, -EINTR);
	return regs;
}

/*
 * Where its mask may be opened or closed.  Mask and registers cannot be set at once: in between, should the tool die, the
 * thread stands where handlers may run, with its own flags and stack pointer, and walks on.
 */
static int stand_open(const struct visit *v, const struct visitor *who)
{
	const bool ends = who->way.interrupted != who->way.unmask && first_to_handle(v, who);

	return way_stand_at(who, ends ? who->way.interrupted : who->way.unmask);
}

/* Where its way home lies, and where the last jump does when that is too far away. */
static int choose_places(struct visit *v, struct visitor *who)
{
	const uintptr_t pc = arch_pc(&who->home.regs);
	const bool leads = who == &v->leader;
	uint64_t near = 0;

	who->stub = v->dead + (leads ? 0 : ARCH_HOME_MAX);
	if (!ARCH_NEAR_MAX || who->home.frame || dead_bytes_reach(who->stub, pc))
		return 0;
	if (!near_bytes(v->p, pc, leads ? 0 : v->leader.home.near, &near))
		return fail(EHOLDS, "no dead bytes near %#llx, where a thread stands, to come back by", (unsigned long long)pc);
	if (task_read(v->pid, who->near_was, near, ARCH_NEAR_MAX))
		return fail(EFAULT, "the code near %#llx cannot be read", (unsigned long long)near);
	who->home.near = near;
	return 0;
}

void way_take_away(const struct visit *v, const struct visitor *who)
{
	if (ARCH_NEAR_MAX > 0 && who->home.near)
		(void)task_write_mem(v->mem, who->tid, who->home.near, who->near_was, ARCH_NEAR_MAX);
}

/* The code of its way home into the dead bytes. */
static int write_home(const struct visit *v, struct visitor *who)
{
	uint8_t code[ARCH_HOME_MAX];
	size_t len;
	int err = 0;

	if (ARCH_NEAR_MAX > 0 && who->home.near) {
		len = arch_near(code, who->home.near, &who->home);
		err = task_write_mem(v->mem, who->tid, who->home.near, code, len);
	}
	len = arch_home(code, who->stub, &who->home, &who->way);
	if (!err)
		err = task_write_mem(v->mem, who->tid, who->stub, code, len);
	return err ? fail_for(err, "cannot write behind the vDSO") : 0;
}

/* By its old mask, which is no signal at all once it is open: that would tell that it is still inside. */
int way_tell(const struct visit *v, struct visitor *who, uintptr_t outside)
{
	who->home.old_mask = outside;
	return write_home(v, who);
}

int way_lay(struct visit *v, struct visitor *who, const struct restart *restart)
{
	int err;

	err = restart_regs(v->pid, who->tid, restart, &who->home.regs, &who->home.call);
	if (!err)
		err = thread_sigmask(who->tid, &who->home.sigmask);
	if (!err && ARCH_REGSET_LOST)
		err = frame_keep(v->p, who == &v->leader, who);
	if (err)
		return fail_for(err, "thread %d: its registers", who->tid);
	if (ARCH_NR_set_tls >= 0 && ptrace(ARCH_PTRACE_GET_TLS, who->tid, NULL, &who->tls))
		return fail_errno("thread %d: its thread pointer", who->tid);
	who->rseq_untold = ptrace(PTRACE_GET_RSEQ_CONFIGURATION, who->tid, sizeof(who->rseq), &who->rseq) <= 0;
	if (who->rseq_untold)
		who->rseq.rseq_abi_pointer = 0;
	if (who->rseq_untold && IS_ON_OLD_KERNELS && ARCH_RSEQ_SIGNATURE)
		who->rseq = (struct rseq_configuration){
			.rseq_abi_pointer = library_rseq(&v->library, v->pid, who->tid, &who->home.regs),
			.rseq_abi_size = RSEQ_BYTES, .signature = ARCH_RSEQ_SIGNATURE,
		};
	leave_restartable_sequence(v, who);
	if (undo_interruption(v->pid, who->tid, restart, ~who->home.sigmask, &who->home.regs))
		who->home.call = (struct arch_interrupted){ 0 };
	err = ARCH_REGSET_LOST && who->lost ? frame_lay(v, who) : 0;
	if (!err)
		err = choose_places(v, who);
	if (!err)
		err = write_home(v, who);
	if (err)
		return err;
	who->away = true;	/* there is a way home from now on, and not before */

	/* From here on the thread finds home by itself, and only then is it safe to block its signals. */
	err = stand_open(v, who);
	if (!err)
		err = thread_set_sigmask(who->tid, ALL_SIGNALS);
	if (err)
		return fail_for(err, "thread %d: cannot be led away", who->tid);
	return 0;
}

int way_go_home(const struct visit *v, struct visitor *who, uint64_t outside)
{
	const struct arch_regs regs = regs_at_home(v, who);
	const long one = 1;
	int err = stand_open(v, who);

	if (!err && outside)
		err = task_write(v->pid, outside, &one, sizeof(one));
	if (!err && who->home.old_mask)
		err = way_tell(v, who, 0);
	if (!err)
		err = thread_set_sigmask(who->tid, who->home.sigmask);
	if (!err)
		err = thread_set_regs(who->tid, &regs);
	if (!err)
		who->away = false;
	return err;
}
