/* SPDX-License-Identifier: MIT */
#include "tree/obstacles.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch.h"
#include "base/log.h"
#include "config.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "kernel/task_memory.h"
#include "tree/frame.h"
#include "tree/lineage.h"
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
		/* the clocks go along, if the whole tree has the same */
		const bool time = IS_ON_CLOCKS && !strncmp(names[i], "time", 4);
		ssize_t len = *own ? 1 : proc_link(own, sizeof(s->namespaces[i]), "/proc/%d/ns/%s",
						   time ? s->tree.processes[0].tid : getpid(), time ? "time" : names[i]);

		if (len == -ENOENT)
			continue;	/* the kernel has no such namespace */
		if (len > 0)
			len = proc_link(theirs, sizeof(theirs), "/proc/%d/ns/%s", p->tid, names[i]);
		if (len < 0)
			cannot_tell(s, "its namespaces", len == -ENOENT ? -ESRCH : (int)len);
		else if (strcmp(own, theirs))
			obstacle(s, "it lives in another %s namespace than %s: not supported", names[i],
				 time ? "the root of the tree" : "tinyckpt");
	}
}

/* leader: what the main thread has, which comes first. */
static void check_thread(struct save *s, const struct process *p, struct thread *thread, struct proc_credentials *leader)
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
	if (thread == p->threads)
		*leader = st.credentials;
	thread->like_leader = !memcmp(leader, &st.credentials, sizeof(*leader));
	if (ARCH_REGSET_LOST && !frame_has_room(p, thread))
		obstacle(s, "thread %d: vector registers in use where there is no room to keep them: not supported", tid);
	err = thread_regs(tid, &regs);
	if (err)
		cannot_tell(s, "the registers of a thread", err);
	else if ((why = arch_refuse(tid, &regs)))
		obstacle(s, "thread %d: %s", tid, why);
}

static int see_code(void *arg, struct vma *v)
{
	const pid_t *pid = arg;
	uint8_t text[4096];

	if (!(v->prot & PROT_EXEC) || vma_is_kernels_own(v) || vma_is_everywhere(v))
		return 0;
	for (uint64_t at = v->start; at < v->end; at += sizeof(text))	/* a page that is not there has no code */
		if (!task_read(*pid, text, at, sizeof(text)) && arch_signs(text, sizeof(text)))
			return 1;
	return 0;
}

/* Without the keys no pointer that was signed would be taken for good again. */
static void check_keys(struct save *s, const struct process *p)
{
	pid_t pid = p->tid;
	int found = ARCH_SIGNS && !s->checking && arch_hides_keys(pid) ? proc_vmas(pid, false, see_code, &pid) : 0;

	if (found > 0)
		obstacle(s, "its code signs pointers, and this kernel does not hand out the keys (CONFIG_CHECKPOINT_RESTORE)");
	else if (found < 0)
		cannot_tell(s, "its mappings", found);
}

void obstacles_find(struct save *s, struct process *p)
{
	struct proc_credentials leader = { .groups_n = UINT32_MAX };

	check_namespaces(s, p);
	timers_find(s, p);
	shared_find(s, p);
	check_keys(s, p);
	if (p->tty_nr && !s->options->inherit_stdio)
		obstacle(s, "it has a controlling terminal (device %d:%d): --inherit-stdio leaves it behind", p->tty_nr >> 8 & 0xfff,
			 (p->tty_nr & 0xff) | (p->tty_nr >> 12 & 0xfff00));
	for (size_t i = 0; i < p->threads_n; i++)
		check_thread(s, p, &p->threads[i], &leader);
}

int obstacles_of_tree(struct save *s)
{
	struct process *p = s->tree.processes;

	if (IS_ON_SESSIONS)
		return lineage_find(s);
	for (size_t i = 1; i < s->tree.n; i++) {
		CONTEXT("pid %d (%s)", p[i].pid, p[i].comm);

		if (p[i].sid != p[i].pid && p[i].sid != p[p[i].parent].sid)
			obstacle(s, "it is in session %d, its parent is not: this tinyckpt was built without CONFIG_SESSIONS", p[i].sid);
	}
	return 0;
}
