/* SPDX-License-Identifier: MIT */
#include "tree/obstacles.h"

#include <elf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <unistd.h>

#include "arch.h"
#include "base/log.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/lacking.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"
#include "kernel/same.h"
#include "kernel/task_memory.h"
#include "tree/frame.h"
#include "tree/lineage.h"
#include "tree/shared.h"
#include "tree/timers.h"
#include "tree/visit.h"

/* What cannot be read is not known to be harmless; a process that is only looked at may have ended. */
static void cannot_tell(struct save *s, const char *what, int err)
{
	if (!s->checking || err != -ESRCH)
		obstacle(s, "%s cannot be read: %s", what, strerror(-err));
}

static const char NARROW[] = "a 32-bit program on a 64-bit kernel";

static void refuse(struct save *s, pid_t tid, const char *what)
{
	obstacle(s, "thread %d: %s: not supported", tid, what);
}

static void check_namespaces(struct save *s, const struct process *p)
{
	static const char names[] = "cgroup\0ipc\0mnt\0net\0pid\0pid_for_children\0time\0time_for_children\0user\0uts\0";
	char *own = s->namespaces[0], theirs[64];

	for (const char *name = names; name < names + sizeof(names) - 1; name += strlen(name) + 1, own += sizeof(s->namespaces[0])) {
		/* the clocks go along, if the whole tree has the same */
		const bool time = IS_ON_CLOCKS && !strncmp(name, "time", 4);
		ssize_t len = *own ? 1 : proc_link(own, sizeof(s->namespaces[0]), "/proc/%d/ns/%s",
						   time ? s->tree.processes[0].tid : getpid(), time ? "time" : name);

		if (len == -ENOENT)
			continue;	/* the kernel has no such namespace */
		if (len > 0)
			len = proc_link(theirs, sizeof(theirs), "/proc/%d/ns/%s", p->tid, name);
		/* that of its children is there when the first of them is: its process 1; a save without this cannot read it */
		if (IS_ON_CMD_CHECK && len == -ENOENT && !strcmp(name, "pid_for_children")) {
			theirs[0] = '\0';
			len = 0;
		}
		if (len < 0)
			cannot_tell(s, "its namespaces", len == -ENOENT ? -ESRCH : (int)len);
		else if (strcmp(own, theirs))
			obstacle(s, "it lives in another %s namespace than %s: not supported", name,
				 time ? "the root of the tree" : "tinyckpt");
	}
}

/* Of core scheduling; 0: none. */
static uint64_t sched_cookie(pid_t tid)
{
	uint64_t cookie = 0;

	return prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, tid, 0, &cookie) ? 0 : cookie;
}

/*
 * Was it the last to change a semaphore?  A list of what is to be undone has everyone, too, who ever had a thread; but who holds a
 * semaphore keeps others from changing it.  Of very many nobody looks at all.
 */
static bool changed_semaphores(pid_t pid)
{
	struct seminfo info;
	struct semid_ds set;
	const int last = semctl(0, 0, SEM_INFO, &info);

	for (int i = 0, looks = 1 << 16; i <= last; i++) {
		const int id = semctl(i, 0, SEM_STAT, &set);

		for (int n = 0; id >= 0 && n < (int)set.sem_nsems; n++)
			if (!looks-- || semctl(id, n, GETPID) == pid)
				return true;
	}
	return false;
}

/*
 * What is neither asked of the task nor part of its state: how far it is trusted (security modules), and what the kernel undoes
 * when it ends.
 */
static void check_bonds(struct save *s, const struct process *p)
{
	char theirs[256], own[256] = "";
	const char *nice;

	if (proc_readf(theirs, sizeof(theirs), "/proc/%d/attr/current", p->tid) >= 0) {
		(void)proc_read("/proc/self/attr/current", own, sizeof(own));
		if (strcmp(own, theirs)) {
			theirs[strcspn(theirs, "\n")] = '\0';
			obstacle(s, "its security label %s is not tinyckpt's: not supported", theirs);
		}
	}
	if (IS_ON_SETTINGS && proc_readf(theirs, sizeof(theirs), "/proc/%d/autogroup", p->tid) > 0 &&
	    (nice = strrchr(theirs, ' ')) && atoi(nice))
		obstacle(s, "its autogroup has a nice value: not supported");
	/* tinyckpt has no such list; a kernel without kcmp(2) does not tell who has */
	if (same_order(getpid(), p->tid, KCMP_SYSVSEM) && changed_semaphores(p->pid))
		obstacle(s, "System V semaphores (SEM_UNDO): not supported");
}

/* What a save sees by the registers, check, which looks from outside, sees by the file. */
static void check_program(struct save *s, const struct process *p)
{
	char ident[EI_NIDENT];

	if (IS_ON_CMD_CHECK && s->checking && proc_readf(ident, sizeof(ident), "/proc/%d/exe", p->tid) > EI_CLASS &&
	    ident[EI_CLASS] == ELFCLASS32 && sizeof(void *) > sizeof(uint32_t))
		obstacle(s, "%s", NARROW);
}

/* It has to make some system calls for the tool, which takes memory of its own for a moment (tree/visit.h). */
static void check_room(struct save *s, pid_t pid, int resource, uint64_t used, const char *name)
{
	struct rlimit limit;

	if (!prlimit(pid, resource, NULL, &limit) && used + VISIT_AREA > limit.rlim_cur)
		obstacle(s, "its limit %s leaves no room for %d KiB, which a save takes for a moment", name,
			 VISIT_AREA / 1024);
}

/* leader: what the main thread has, which comes first. */
static void check_thread(struct save *s, const struct process *p, struct thread *thread, struct proc_credentials *leader)
{
	const pid_t tid = thread->tid;
	struct proc_status st;
	struct syscall_user_dispatch dispatch;
	struct arch_regs regs;
	size_t len = sizeof(regs);
	const char *why;
	int err = proc_status(p->pid, tid, &st);

	if (err) {
		cannot_tell(s, "the status of a thread", err);
		return;
	}
	if (st.seccomp)
		refuse(s, tid, st.seccomp == 1 ? "seccomp strict mode" : "seccomp filters");
	if (st.shadow_stack)
		refuse(s, tid, "a shadow stack");
	if (IS_ON_SETTINGS && sched_cookie(tid) != sched_cookie(0))
		refuse(s, tid, "core scheduling (PR_SCHED_CORE)");
	if (thread == p->threads) {
		check_room(s, tid, RLIMIT_AS, st.size, "RLIMIT_AS");
		check_room(s, tid, RLIMIT_DATA, st.data, "RLIMIT_DATA");
	}
	if (st.groups_lost)
		obstacle(s, "thread %d: more than %d supplementary groups", tid, PROC_GROUPS_MAX);
	if (IS_ON_CMD_CHECK && s->checking && st.tracer)	/* a save is its tracer, or was refused */
		obstacle(s, "thread %d: it is already traced, by process %d: end the debugger first", tid, st.tracer);
	if (s->checking)
		return;
	/* any call that it makes for the tool would be such a signal */
	if (!ptrace(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, tid, sizeof(dispatch), &dispatch) && dispatch.mode)
		refuse(s, tid, "PR_SET_SYSCALL_USER_DISPATCH");
	if (thread == p->threads)
		*leader = st.credentials;
	thread->like_leader = !memcmp(leader, &st.credentials, sizeof(*leader));
	err = thread_regset(tid, NT_PRSTATUS, &regs, &len);
	if (err) {
		cannot_tell(s, "the registers of a thread", err);
	} else if (len != sizeof(regs)) {	/* those that such a program has: none of what they are taken for */
		obstacle(s, "thread %d: %s", tid, NARROW);
	} else {
		why = ARCH_REGSET_LOST ? frame_obstacle(p, thread) : NULL;
		if (why)
			refuse(s, tid, why);
		if ((why = arch_refuse(tid, &regs)))
			obstacle(s, "thread %d: %s", tid, why);
	}
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
	check_bonds(s, p);
	check_program(s, p);
	timers_find(s, p);
	shared_find(s, p);
	check_keys(s, p);
	if (p->tty_nr && !s->options->inherit_stdio)
		obstacle(s, "it has a controlling terminal (device %d:%d): --inherit-stdio leaves it behind", p->tty_nr >> 8 & 0xfff,
			 (p->tty_nr & 0xff) | (p->tty_nr >> 12 & 0xfff00));
	for (size_t i = 0; i < p->threads_n; i++)
		check_thread(s, p, &p->threads[i], &leader);
	p->may_make_devices = leader.cap_eff >> CAP_MKNOD & 1;
}

int obstacles_of_tree(struct save *s)
{
	struct process *p = s->tree.processes;
	const char *why = IS_ON_BARE_KERNELS ? lacking_to_save() : NULL;

	if (why)
		obstacle(s, "%s", why);
	if (IS_ON_SESSIONS)
		return lineage_find(s);
	for (size_t i = 1; i < s->tree.n; i++) {
		CONTEXT("pid %d (%s)", p[i].pid, p[i].comm);

		if (p[i].sid != p[i].pid && p[i].sid != p[p[i].parent].sid)
			obstacle(s, "it is in session %d, its parent is not: this tinyckpt was built without CONFIG_SESSIONS", p[i].sid);
	}
	return 0;
}
