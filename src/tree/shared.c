/* SPDX-License-Identifier: MIT */
#include "tree/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/same.h"
#include "kernel/task_memory.h"

static const struct {
	int what;
	const char *name;
} kinds[] = { { KCMP_VM, "its memory" }, { KCMP_FILES, "its descriptor table" }, { KCMP_FS, "its working directory" } };
enum { VM, FILES, FS, KINDS };

static void shares(struct save *s, int kind, pid_t other)
{
	obstacle(s, "it shares %s with process %d: not supported", kinds[kind].name, other);
}

static void has_own(struct save *s, int kind, pid_t tid)
{
	obstacle(s, "thread %d: it has %s to itself (unshare): not supported", tid, kinds[kind].name);
}

/*
 * kcmp(2) is an order, so each kind has the processes seen so far sorted, and a new one finds its place, or its equal, in few
 * steps.  Signal handlers are shared only where memory is (clone(2)).
 */
void shared_find(struct save *s, const struct process *p)
{
	for (size_t i = 1; i < p->threads_n; i++)
		for (int k = FILES; k <= FS; k++)
			if (same_order(p->tid, p->threads[i].tid, kinds[k].what) > 0)
				has_own(s, k, p->threads[i].tid);
	for (int k = 0; k < KINDS; k++) {
		struct buffer *sorted = &s->sharing[k];
		size_t low = 0, high = sorted->len / sizeof(pid_t);
		pid_t *pids;

		while (low < high) {
			size_t middle = low + (high - low) / 2;
			pid_t other = ((pid_t *)(void *)sorted->data)[middle];
			int order = same_order(p->tid, other, kinds[k].what);

			if (order == 0)
				shares(s, k, other);
			if (order <= 0)
				return;
			if (order == 1)
				high = middle;
			else
				low = middle + 1;
		}
		if (buffer_append(sorted, &p->tid, sizeof(p->tid)))
			return;
		pids = (pid_t *)(void *)sorted->data;
		memmove(&pids[low + 1], &pids[low], sorted->len - (low + 1) * sizeof(pid_t));
		pids[low] = p->tid;
	}
}

/*
 * Without kcmp(2) a process is marked for as long as it takes to look at all others: it has a descriptor that nobody has, a
 * file mode mask that nobody wants, and its number in the area.  Should the tool die meanwhile, it takes that back by itself.
 */
enum { MASK = 0653 };

static long result_of(const struct program *p, int i)
{
	return program_at(p, i) + (long)offsetof(struct op, ret);
}

static int mark(struct save *s, struct visit *v, pid_t pid, int fd, long *umask_was)
{
	struct program p;
	int mask, root, copy, err;

	visit_program(v, pid, &p);
	mask = program_call(&p, 0, SYS_umask, MASK);
	root = program_call(&p, 0, SYS_openat, AT_FDCWD, program_data(&p, "/", 2), O_PATH);
	copy = program_call(&p, OP_INDIRECT << 0, SYS_dup3, result_of(&p, root), fd, O_CLOEXEC);
	program_call(&p, OP_INDIRECT << 0, SYS_close, result_of(&p, root));
	v->undo[0] = (struct op){ .nr = SYS_umask, .arg = { result_of(&p, mask) }, .flags = OP_INDIRECT << 0 };
	v->undo[1] = (struct op){ .nr = SYS_close, .arg = { fd } };
	err = task_write(pid, v->area + VISIT_MARK, &pid, sizeof(pid));
	if (!err)
		err = visit_run(v, &p);
	if (err)
		return err;
	*umask_was = program_result(&p, mask);
	if (program_result(&p, copy) != fd)
		obstacle(s, "whether it shares its descriptor table cannot be told (CONFIG_KCMP)");
	return 0;
}

static int unmark(struct visit *v, pid_t pid, int fd, long umask_was)
{
	struct program p;

	visit_program(v, pid, &p);
	program_call(&p, 0, SYS_umask, umask_was);
	program_call(&p, 0, SYS_close, fd);
	memset(v->undo, 0, sizeof(v->undo));
	return visit_run(v, &p);
}

static bool is_marked(const struct visit *v, pid_t pid, pid_t tid, int fd, int kind)
{
	char path[64];
	struct proc_status st;
	struct stat to;
	pid_t number;

	switch (kind) {
	case VM:
		return !task_read(pid, &number, v->area + VISIT_MARK, sizeof(number)) && number == v->pid;
	case FILES:
		snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", pid, tid, fd);
		return !proc_lookup(path, 0, &to);
	default:
		return !proc_status(pid, tid, &st) && st.umask == MASK;
	}
}

static void look_around(struct save *s, const struct visit *v, const struct process *p, int fd)
{
	const struct tree *tree = &s->tree;

	for (size_t i = 1; i < p->threads_n; i++)
		for (int k = FILES; k <= FS; k++)
			if (!is_marked(v, p->tid, p->threads[i].tid, fd, k))
				has_own(s, k, p->threads[i].tid);
	for (const struct process *q = p + 1; q < tree->processes + tree->n; q++) {
		CONTEXT("pid %d (%s)", q->pid, q->comm);

		for (int k = 0; k < KINDS && !q->zombie; k++)
			if (is_marked(v, q->tid, q->tid, fd, k))
				shares(s, k, p->pid);
	}
}

int shared_ask(struct save *s, struct visit *v, const struct process *p)
{
	const int fd = s->highest_fd + 2;	/* one less may be what "/" is opened by */
	long umask_was;
	int err;

	if (same_order(getpid(), getpid(), KCMP_VM) != -ENOSYS || (s->tree.n == 1 && p->threads_n == 1))
		return 0;
	err = mark(s, v, p->tid, fd, &umask_was);
	if (err)
		return err;
	look_around(s, v, p, fd);
	err = unmark(v, p->tid, fd, umask_was);
	return err ? err : s->obstacles ? -EHOLDS : 0;
}
