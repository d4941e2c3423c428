/* SPDX-License-Identifier: MIT */
#include "tree/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "kernel/procfs.h"
#include "kernel/restart.h"
#include "kernel/task_memory.h"
#include "tree/dead_bytes.h"

struct stack_search {
	uint64_t sp, start;
};

/* Only the stack that the kernel made: below the stack pointer of any other there may be somebody else's memory. */
static int see_stack(void *arg, struct vma *v)
{
	struct stack_search *s = arg;

	if (s->sp <= v->start || s->sp > v->end || strcmp(v->name, "[stack]"))
		return 0;
	s->start = v->start;
	return 1;
}

/* 0: there is no room. */
static uint64_t place_on_stack(const struct process *p, uint64_t sp, size_t bytes)
{
	struct stack_search s = { .sp = sp };
	const uint64_t at = (sp - bytes) & ~15ULL;

	if (proc_vmas(p->tid, false, see_stack, &s) <= 0 || at < s.start || at > sp)
		return 0;
	return at;
}

/* Where it stands no jump comes to, from its way home or from near by.  Not asked of calls: rt_sigreturn(2) would end their sleep. */
static bool is_far(const struct process *p, bool leads, const struct arch_home *home)
{
	const struct thread *leader = p->threads;
	const uint64_t pc = arch_pc(&home->regs);
	struct arch_interrupted call;
	struct arch_regs regs;
	uint64_t dead, taken = 0, near;

	if (!DEAD_BYTES_FAR || home->call.error || dead_bytes(p, &dead) ||
	    dead_bytes_reach(dead + (leads ? 0 : ARCH_HOME_MAX), pc))
		return false;
	/* the leader's last jump may be in the same place */
	if (!leads && !restart_regs(p->tid, leader->tid, &leader->restart, &regs, &call) && !dead_bytes_reach(dead, arch_pc(&regs)))
		(void)near_bytes(p, arch_pc(&regs), 0, &taken);
	return !near_bytes(p, pc, taken, &near);
}

int frame_keep(const struct process *p, bool leads, struct visitor *who)
{
	size_t len = ARCH_REGSET_MAX;
	int err;

	if (!ARCH_REGSET_LOST)
		return 0;
	who->lost = malloc(len);
	if (!who->lost)
		return -ENOMEM;
	err = who->home.call.error ? -ENODATA : thread_regset(who->tid, ARCH_REGSET_LOST, who->lost, &len);
	if (!err && ARCH_REGSET_LOST && arch_lost_lives(who->lost, len)) {
		who->lost_len = len;
		return 0;
	}
	if (is_far(p, leads, &who->home))
		return 0;
	free(who->lost);
	who->lost = NULL;
	return 0;	/* the kernel, the processor or the thread has none */
}

/* Its registers; for how many bytes of those that are lost it needs a frame, -1: it needs none. */
static int look(const struct process *p, const struct thread *thread, struct arch_regs *regs)
{
	struct visitor who = { .tid = thread->tid };
	int len;

	if (!restart_regs(p->tid, who.tid, &thread->restart, &who.home.regs, &who.home.call))
		(void)frame_keep(p, thread == p->threads, &who);
	len = who.lost ? (int)who.lost_len : -1;
	*regs = who.home.regs;
	free(who.lost);
	return len;
}

bool frame_is_needed(const struct process *p, const struct thread *thread)
{
	struct arch_regs regs;

	return look(p, thread, &regs) >= 0;
}

const char *frame_obstacle(const struct process *p, const struct thread *thread)
{
	struct arch_regs regs;
	const int len = look(p, thread, &regs);
	const size_t bytes = ARCH_FRAME_BYTES((size_t)len);

	if (len < 0 || (len < ARCH_REGSET_MAX && bytes <= VISIT_AREA - VISIT_FRAME &&
			(thread != p->threads || place_on_stack(p, arch_sp(&regs), bytes))))
		return NULL;
	return !DEAD_BYTES_FAR || len ? "vector registers in use where there is no room to keep them"
				      : "computing in the midst of its code where there is no room for a signal frame";
}

int frame_lay(struct visit *v, struct visitor *who)
{
	const size_t bytes = ARCH_FRAME_BYTES(who->lost_len);
	CLEANUP_FREE uint8_t *frame = malloc(bytes);
	uint8_t fp[1024];
	size_t fp_len = sizeof(fp);
	uint64_t at = who == &v->leader ? place_on_stack(v->p, arch_sp(&who->home.regs), bytes) : v->area + VISIT_FRAME;
	int err = ARCH_REGSET_LOST ? thread_regset(who->tid, NT_PRFPREG, fp, &fp_len) : -ENODATA;

	if (!err && !frame)
		err = -ENOMEM;
	if (!err && !at)
		err = -ENOSPC;
	if (!err && ARCH_REGSET_LOST) {
		arch_frame(frame, at, &who->home, fp, who->lost, who->lost_len);
		err = task_write_mem(v->mem, who->tid, at, frame, bytes);
	}
	if (err)
		return fail_for(err, "thread %d: a frame to go home by", who->tid);
	who->home.frame = at;
	return 0;
}
