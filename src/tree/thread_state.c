/* SPDX-License-Identifier: MIT */
#include "tree/thread_state.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/lacking.h"
#include "kernel/ptrace.h"
#include "kernel/task_memory.h"
#include "kernel/timens.h"
#include "tree/posix_timers.h"
#include "tree/records.h"
#include "tree/tid_address.h"
#include "tree/timers.h"

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

enum { RSEQ_UNREGISTER = 1 };	/* linux/rseq.h */

void thread_ask(struct program *p, struct thread_facts *f, const struct visitor *who)
{
	f->comm_at = program_data(p, NULL, COMM_LEN);
	f->altstack_at = program_data(p, NULL, sizeof(stack_t));
	f->tid_address_at = program_data(p, NULL, sizeof(long));
	f->pdeathsig_at = program_data(p, NULL, sizeof(int));
	program_call(p, 0, SYS_prctl, PR_GET_NAME, f->comm_at);
	program_call(p, 0, SYS_sigaltstack, 0, f->altstack_at);
	f->tid_address = program_call(p, 0, SYS_prctl, PR_GET_TID_ADDRESS, f->tid_address_at);
	program_call(p, 0, SYS_prctl, PR_GET_PDEATHSIG, f->pdeathsig_at);
	f->timerslack = program_call(p, 0, SYS_prctl, PR_GET_TIMERSLACK);
	f->securebits = program_call(p, 0, SYS_prctl, PR_GET_SECUREBITS);
	if (ARCH_NR_get_user_tls >= 0)
		f->user_tls = program_call(p, 0, ARCH_NR_get_user_tls, 0);
	if (ARCH_PR_GET_CONTROL)
		f->control = program_call(p, 0, SYS_prctl, ARCH_PR_GET_CONTROL);
	settings_ask(p, &f->settings);
	f->rseq = -1;
	if (who->rseq_untold) {	/* once more is EBUSY, EINVAL where there is another; else it is taken back at once */
		const long own = (program_data(p, NULL, 2 * RSEQ_BYTES) + RSEQ_BYTES - 1) & -(long)RSEQ_BYTES;
		const long rseq = IS_ON_OLD_KERNELS && who->rseq.rseq_abi_pointer ? (long)who->rseq.rseq_abi_pointer : own;

		f->rseq = program_call(p, 0, SYS_rseq, rseq, RSEQ_BYTES, 0, (long)who->rseq.signature);
		if (IS_ON_OLD_KERNELS)
			program_call(p, OP_INDIRECT << 0, OP_JUMP_IF_EQUAL, program_at(p, f->rseq) + (long)offsetof(struct op, ret),
				     -EBUSY, program_at(p, f->rseq + 3));
		program_call(p, 0, SYS_rseq, rseq, RSEQ_BYTES, RSEQ_UNREGISTER, (long)who->rseq.signature);
	}
}

struct thread_answers thread_answers(const struct program *p, const struct thread_facts *f)
{
	struct thread_answers a = {
		.no_tid_address = program_result(p, f->tid_address) < 0,
		.has_rseq = f->rseq >= 0 && (program_result(p, f->rseq) == -EINVAL || (IS_ON_OLD_KERNELS && program_result(p, f->rseq) == -EPERM)),
		.has_that_rseq = IS_ON_OLD_KERNELS && f->rseq >= 0 && program_result(p, f->rseq) == -EBUSY,
		.altstack = *(const stack_t *)program_read(p, f->altstack_at),
		.tid_address = *(const unsigned long *)program_read(p, f->tid_address_at),
		.pdeathsig = *(const int *)program_read(p, f->pdeathsig_at),
		.timerslack = (unsigned long)program_result(p, f->timerslack),
		.securebits = number_or_none(program_result(p, f->securebits)),
		.control = ARCH_PR_GET_CONTROL ? program_result(p, f->control) : 0,
		.user_tls = ARCH_NR_get_user_tls >= 0 ? (unsigned long)program_result(p, f->user_tls) : 0,
	};

	settings_answers(&a.settings, p, &f->settings);
	memcpy(a.comm, program_read(p, f->comm_at), sizeof(a.comm));
	return a;
}

int thread_save_pending(struct save *s, pid_t tid, bool shared)
{
	enum { AT_ONCE = 16 };
	siginfo_t infos[AT_ONCE];
	Pending m = { .tid = shared ? 0 : (uint32_t)tid };
	uint64_t from = 0;
	int n;

	do {
		const int64_t now = IS_ON_POSIX_TIMERS ? clock_now(CLOCK_MONOTONIC) : 0;

		n = thread_pending(tid, shared, from, infos, AT_ONCE);
		if (n < 0)
			return fail_for(n, "thread %d: its pending signals", tid);
		for (int i = 0; i < n; i++) {
			const bool again = (IS_ON_POSIX_TIMERS && posix_timers_send_again(s, &infos[i], now)) ||
					   (IS_ON_CLOCKS && timers_send_again(s, tid, shared, &infos[i]));
			int err = again ? 0
					: SAVE_RECORD(s, RECORD_PENDING, Pending_fields, &m, &infos[i], sizeof(infos[i]));

			if (err)
				return err;
		}
		from += AT_ONCE;
	} while (n == AT_ONCE);
	return 0;
}

/*
 * The calls that the kernel goes on with by restart_syscall(2), told apart by their arguments, where those leave no
 * doubt: a pointer is no small number, and a futex is waited for as long as it has the value that was given.
 */
static long guess_restart(pid_t tid, const struct arch_interrupted *call)
{
	enum { SMALL = 4096, FUTEX_FLAGS = 128 | 256, WAIT = 0, WAIT_BITSET = 9 };
	unsigned long first = (unsigned long)call->args[0], second = (unsigned long)call->args[1];
	unsigned long operation = second & ~(unsigned long)FUTEX_FLAGS, third = (unsigned long)call->args[2];
	uint32_t word;
	bool pointer = first >= SMALL;
	bool futex = pointer && !(first & 3) && (operation == WAIT || operation == WAIT_BITSET) &&
		     (unsigned long)call->args[3] >= SMALL && !task_read(tid, &word, first, sizeof(word)) &&
		     word == (uint32_t)third;

	if (!pointer && second == 0 && third >= SMALL && !task_read(tid, &word, third, sizeof(word)))
		return SYS_clock_nanosleep;
	if (futex)
		return SYS_futex;
#ifdef SYS_poll
	if (!first && !second)
		return SYS_poll;
	if ((pointer || !first) && second < SMALL && second && operation != WAIT && operation != WAIT_BITSET)
		return SYS_poll;
#endif
	/* for the rest of the time nobody asks: what is no argument of it is 0 in a C library that calls in one way for all */
	return pointer && (second >= SMALL || (!second && !third && !call->args[3])) ? SYS_nanosleep : -1;
}

/* Which call a thread stands in that the kernel knows by "restart_syscall" alone: its caller's code tells. */
static int resolve_restart(pid_t tid, const struct arch_regs *regs, struct arch_interrupted *call)
{
	uint8_t text[32];

	if (call->error != ARCH_ERESTART_RESTARTBLOCK || call->nr != arch_nr_restart_syscall)
		return 0;
	call->nr = -1;
	if (!task_read(tid, text, arch_behind_call(regs) - sizeof(text), sizeof(text)))
		call->nr = arch_decode_syscall(text, sizeof(text));
	if (call->nr == -1)
		call->nr = guess_restart(tid, call);
	if (call->nr < 0)
		return fail(EHOLDS, "thread %d: it sleeps in a call that was interrupted before, and the kernel does not tell which", tid);
	return 0;
}

/* As thread_regset() has it; of a visitor, which may not be home yet, as it was there. */
static int see_regset(const struct visitor *who, unsigned int type, uint8_t *to, size_t *len)
{
	/* what is not missed there are registers all the same, without which the kernel takes no signal frame that has them */
	if (!ARCH_REGSET_LOST || type != ARCH_REGSET_LOST || !who->lost_len)
		return thread_regset(who->tid, type, to, len);
	memcpy(to, who->lost, who->lost_len);
	*len = who->lost_len;
	return 0;
}

/* Register sets into body, in the order of m's lists.  Returns their bytes or a negative errno. */
static ssize_t save_regsets(const struct visitor *who, Thread *m, uint8_t *body)
{
	static const unsigned int types[] = ARCH_REGSETS;
	const struct arch_regs *regs = &who->home.regs;
	size_t at = sizeof(*regs);
	bool had_last = false;

	memcpy(body, regs, sizeof(*regs));
	m->regset_type[0] = NT_PRSTATUS;
	m->regset_len[0] = sizeof(*regs);
	m->regset_type_count = 1;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t len = ARCH_REGSET_MAX + 16;	/* the kernel cuts off what does not fit, and does not say so */
		int err = types[i] == ARCH_REGSET_ELSE && had_last ? -ENODEV : see_regset(who, types[i], body + at, &len);

		had_last = !err;
		if (err == -ENODEV || err == -EINVAL || err == -ENODATA)
			continue;
		if (!err && len > ARCH_REGSET_MAX)
			err = -E2BIG;
		if (err)
			return fail_for(err, "thread %d: register set %#x", who->tid, types[i]);
		m->regset_type[m->regset_type_count] = types[i];
		m->regset_len[m->regset_type_count++] = (uint32_t)len;
		at += len;
	}
	m->regset_len_count = m->regset_type_count;
	return (ssize_t)at;
}

static void see_credentials(Thread *m, const struct proc_credentials *c)
{
	memcpy(m->uid, c->uid, sizeof(c->uid));
	memcpy(m->gid, c->gid, sizeof(c->gid));
	memcpy(m->groups, c->groups, sizeof(c->groups));
	m->uid_count = m->gid_count = 4;
	m->groups_count = (pb_size_t)c->groups_n;
	m->cap_inheritable = c->cap_inh;
	m->cap_permitted = c->cap_prm;
	m->cap_effective = c->cap_eff;
	m->cap_bounding = c->cap_bnd;
	m->cap_ambient = c->cap_amb;
	m->no_new_privs = c->no_new_privs;
}

/* Does it have more than policy, priority and nice value tell?  Real-time tasks have the whole capacity for their least. */
static bool has_attributes(const struct sched_attributes *a)
{
	const bool real_time = a->policy == SCHED_FIFO || a->policy == SCHED_RR;

	return a->policy == SCHED_DEADLINE || (a->util_max && (a->util_max != 1024 || a->util_min != (real_time ? 1024 : 0)));
}

static int see_scheduling(Thread *m)
{
	struct sched_attributes attributes = { 0 };
	const pid_t tid = (pid_t)m->tid;
	struct sched_param param = { 0 };
	long len = syscall(SYS_sched_getaffinity, tid, sizeof(m->affinity.bytes), m->affinity.bytes);

	m->affinity.size = len > 0 ? (pb_size_t)len : 0;
	m->sched_policy = (uint32_t)syscall(SYS_sched_getscheduler, tid);	/* with SCHED_RESET_ON_FORK */
	syscall(SYS_sched_getparam, tid, &param);
	m->sched_priority = (uint32_t)param.sched_priority;
	m->nice = 20 - (int)syscall(SYS_getpriority, PRIO_PROCESS, tid);
	if (!syscall(SYS_sched_getattr, tid, &attributes, sizeof(attributes), 0) && has_attributes(&attributes)) {
		if (!IS_ON_SETTINGS)
			return fail(EHOLDS, "thread %d: sched_setattr(2): this tinyckpt was built without CONFIG_SETTINGS", tid);
		m->sched_attr.size = sizeof(attributes);
		memcpy(m->sched_attr.bytes, &attributes, sizeof(attributes));
	}
	m->ioprio = number_or_none(syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, tid));
	return 0;
}

int thread_see(Thread *m, pid_t pid, pid_t tid, const struct proc_credentials *c)
{
	struct proc_status st;
	void *robust = NULL;
	size_t robust_len = 0;
	int err = c ? 0 : proc_status(pid, tid, &st);

	*m = (Thread){ .pid = (uint32_t)pid, .tid = (uint32_t)tid };
	if (err)
		return fail_for(err, "thread %d: its status", tid);
	if (!syscall(SYS_get_robust_list, tid, &robust, &robust_len)) {
		m->robust_list = (uintptr_t)robust;
		m->robust_len = (uint32_t)robust_len;
	}
	see_credentials(m, c ? c : &st.credentials);
	return see_scheduling(m);
}

/* m: as thread_see() left it. */
int thread_save(struct save *s, Thread *m, const struct visitor *who, const struct thread_answers *a)
{
	const pid_t tid = (pid_t)m->tid;
	const struct arch_regs *regs = &who->home.regs;
	uint8_t *body = image_body(&s->image);
	struct arch_interrupted call = who->home.call;
	ssize_t len;
	int err;

	memcpy(m->comm, a->comm, sizeof(a->comm));
	m->clear_child_tid = a->tid_address;
	err = a->no_tid_address ? tid_address_find(s, m) : 0;
	if (err)
		return err;
	if (a->has_rseq)
		return fail(EHOLDS, "thread %d: rseq(2) is in use, where this kernel does not tell (5.13 does)", tid);
	if (a->control > 0 && ARCH_CONTROL_IS_FIXED(a->control) && prctl(ARCH_PR_GET_CONTROL, 0, 0, 0, 0) != a->control)
		return fail(EHOLDS, "thread %d: the processor was restricted when its program was started (prctl %d, %#lx): not supported",
			    tid, ARCH_PR_GET_CONTROL, a->control);
	if (ARCH_PR_GET_CONTROL && a->control > 0)
		m->control = (uint32_t)a->control;
	m->altstack_sp = (uintptr_t)a->altstack.ss_sp;
	m->altstack_size = a->altstack.ss_size;
	m->altstack_flags = (uint32_t)a->altstack.ss_flags;
	m->pdeathsig = (uint32_t)a->pdeathsig;
	m->timerslack = a->timerslack;
	m->securebits = a->securebits;
	m->sigmask = who->home.sigmask;
	m->tls = who->tls;
	if (ARCH_NR_get_user_tls >= 0)
		m->tls |= (uint64_t)a->user_tls << 32;
	if (who->rseq.rseq_abi_pointer && (!who->rseq_untold || a->has_that_rseq)) {
		m->rseq = who->rseq.rseq_abi_pointer;
		m->rseq_len = who->rseq.rseq_abi_size;
		m->rseq_signature = who->rseq.signature;
	}
	err = resolve_restart(tid, regs, &call);
	if (!err)
		err = settings_save(&a->settings, m);
	if (err)
		return err;
	m->interrupted = (uint32_t)call.error;
	m->syscall = (uint32_t)call.nr;

	len = save_regsets(who, m, body);
	if (len < 0)
		return (int)len;
	err = SAVE_RECORD(s, RECORD_THREAD, Thread_fields, m, body, (size_t)len);
	s->totals.threads++;
	return err ? err : thread_save_pending(s, tid, false);
}

int thread_save_ended(struct save *s, const struct process *p)
{
	Thread m;
	int err = thread_see(&m, p->pid, p->pid, NULL);

	memcpy(m.comm, p->comm, sizeof(m.comm) - 1);
	s->totals.threads++;
	return err ? err : SAVE_RECORD(s, RECORD_THREAD, Thread_fields, &m, NULL, 0);
}
