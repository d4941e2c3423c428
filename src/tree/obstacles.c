/* SPDX-License-Identifier: MIT */
#include "tree/obstacles.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch.h"
#include "base/log.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "tree/shared.h"
#include "tree/timers.h"

/* What cannot be read is not known to be harmless; a process that is only looked at may have ended. */
static void cannot_tell(struct save *s, const char *what, int err)
{
	if (!s->checking || err != -ESRCH)
		obstacle(s, "%s cannot be read: %s", what, strerror(-err));
}

static void check_namespaces(struct save *s, const struct process *p)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time",
					     "time_for_children", "user", "uts" };
	char theirs[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *own = s->namespaces[i];
		ssize_t len = *own ? 1 : proc_link(own, sizeof(s->namespaces[i]), "/proc/self/ns/%s", names[i]);

		if (len == -ENOENT)
			continue;	/* the kernel has no such namespace */
		if (len > 0)
			len = proc_link(theirs, sizeof(theirs), "/proc/%d/ns/%s", p->pid, names[i]);
		if (len < 0)
			cannot_tell(s, "its namespaces", len == -ENOENT ? -ESRCH : (int)len);
		else if (strcmp(own, theirs))
			obstacle(s, "it lives in another %s namespace than tinyckpt: not supported", names[i]);
	}
}

/* Registers that no visitor can leave as they are matter, unless the thread is in a call, where they are lost anyhow. */
static bool holds_lost_registers(const struct process *p, const struct thread *thread)
{
	struct arch_interrupted call;
	struct arch_regs regs;
	uint8_t some[64];
	size_t len = sizeof(some);

	return ARCH_REGSET_LOST && !restart_regs(p->pid, thread->tid, &thread->restart, &regs, &call) && !call.error &&
	       !thread_regset(thread->tid, ARCH_REGSET_LOST, some, &len);
}

static void check_thread(struct save *s, const struct process *p, const struct thread *thread)
{
	const pid_t tid = thread->tid;
	struct proc_status st;
	struct arch_regs regs;
	const char *why;
	int err = proc_status(p->pid, tid, &st);

	if (err) {
		cannot_tell(s, "the status of a thread", err);
		return;
	}
	if (st.seccomp)
		obstacle(s, "thread %d: seccomp %s: not supported", tid, st.seccomp == 1 ? "strict mode" : "filters");
	if (st.shadow_stack)
		obstacle(s, "thread %d: a shadow stack: not supported", tid);
	if (st.groups_lost)
		obstacle(s, "thread %d: more than %d supplementary groups", tid, PROC_GROUPS_MAX);
	if (s->checking)
		return;
	if (holds_lost_registers(p, thread))
		obstacle(s, "thread %d: its vector registers: not supported yet", tid);
	err = thread_regs(tid, &regs);
	if (err)
		cannot_tell(s, "the registers of a thread", err);
	else if ((why = arch_refuse(&regs)))
		obstacle(s, "thread %d: %s", tid, why);
}

static int count(void *arg, int number)
{
	(void)number;
	++*(size_t *)arg;
	return 0;
}

int obstacles_find(struct save *s, const struct process *p)
{
	char path[32];
	size_t tasks = 0;
	int err;

	if (p->zombie) {
		snprintf(path, sizeof(path), "/proc/%d/task", p->pid);
		err = proc_numbers(path, count, &tasks);
		if (err)
			cannot_tell(s, "its threads", err);
		else if (tasks > 1)
			obstacle(s, "its main thread ended while others run on: not supported");
		return 0;
	}
	check_namespaces(s, p);
	timers_find(s, p);
	shared_find(s, p);
	if (p->tty_nr && !s->options->inherit_stdio)
		obstacle(s, "it has a controlling terminal (device %d:%d): --inherit-stdio leaves it behind", p->tty_nr >> 8 & 0xfff,
			 (p->tty_nr & 0xff) | (p->tty_nr >> 12 & 0xfff00));
	for (size_t i = 0; i < p->threads_n; i++)
		check_thread(s, p, &p->threads[i]);
	return 0;
}

/* A sibling that restore makes before it and that can bring it into its session. */
static bool has_sibling_in_session(struct tree *tree, size_t i)
{
	const struct process *p = &tree->processes[i];

	for (size_t j = 1; j < i; j++) {
		struct process *q = &tree->processes[j];

		if (q->parent != p->parent || q->sid != p->sid || q->exit_signal != p->exit_signal)
			continue;
		if (q->sid == q->pid)
			q->sid_in_birth = q->sid;
		return q->sid_in_birth == p->sid;
	}
	return false;
}

/* Is this the first of its session whose leader is dead, and can so be under one parent? */
static bool can_have_ghost(const struct tree *tree, size_t i)
{
	const struct process *p = &tree->processes[i];

	if (tree_has(tree, p->sid))
		return false;
	for (size_t j = 0; j < i; j++)
		if (tree->processes[j].sid == p->sid && tree->processes[j].parent != p->parent)
			return false;
	return true;
}

void obstacles_of_tree(struct save *s)
{
	struct tree *tree = &s->tree;

	for (size_t i = 0; i < tree->n; i++) {
		struct process *p = &tree->processes[i], *parent = i ? &tree->processes[p->parent] : NULL;
		CONTEXT("pid %d (%s)", p->pid, p->comm);

		if (!parent) {
			p->sid_in_birth = p->sid == p->pid ? 0 : p->sid;
			continue;
		}
		if ((p->sid == p->pid || p->sid == parent->sid) && parent->sid == parent->pid)
			parent->sid_in_birth = parent->sid;
		p->sid_in_birth = p->sid == p->pid ? parent->sid_in_birth : p->sid;
		if (p->sid != p->pid && parent->sid_in_birth != p->sid && !has_sibling_in_session(tree, i) && !can_have_ghost(tree, i))
			obstacle(s, "it is in session %d, from which its place in the tree cannot be reached again: not supported", p->sid);
	}
}
