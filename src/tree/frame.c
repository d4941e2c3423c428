/* SPDX-License-Identifier: MIT */
#include "tree/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/procfs.h"

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

int frame_keep(struct visitor *who)
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
	free(who->lost);
	who->lost = NULL;
	return 0;	/* the kernel, the processor or the thread has none */
}

/* Its registers, and how many bytes of those that are lost it would miss. */
static size_t look(const struct process *p, const struct thread *thread, struct arch_regs *regs)
{
	struct visitor who = { .tid = thread->tid };

	if (!restart_regs(p->tid, who.tid, &thread->restart, &who.home.regs, &who.home.call))
		(void)frame_keep(&who);
	*regs = who.home.regs;
	free(who.lost);
	return who.lost_len;
}

bool frame_is_needed(const struct process *p, const struct thread *thread)
{
	struct arch_regs regs;

	return look(p, thread, &regs) > 0;
}

bool frame_has_room(const struct process *p, const struct thread *thread)
{
	struct arch_regs regs;
	const size_t len = look(p, thread, &regs), bytes = ARCH_FRAME_BYTES(len);

	if (!len)
		return true;
	if (len >= ARCH_REGSET_MAX || bytes > VISIT_AREA - VISIT_FRAME)
		return false;
	return thread != p->threads || place_on_stack(p, arch_sp(&regs), bytes);
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
		err = pwrite_all(v->mem, frame, bytes, at);
	}
	if (err)
		return fail_for(err, "thread %d: a frame for its vector registers", who->tid);
	who->home.frame = at;
	return 0;
}
