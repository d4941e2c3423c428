/* SPDX-License-Identifier: MIT */
#include "tree/signal_frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/ptrace.h"
#include "kernel/task_memory.h"

enum { PAGE = 4096, DEPTH = 16 * PAGE };

/* What lies above the stack pointer, up to the end of the mapping.  How many bytes. */
static size_t read_stack(pid_t pid, uint64_t start, uint8_t *stack)
{
	size_t n = 0;

	while (n < DEPTH) {
		const size_t len = PAGE - (start + n) % PAGE;

		if (len > DEPTH - n || task_read(pid, stack + n, start + n, len))
			break;
		n += len;
	}
	return n;
}

/* What has changed of it only: what lies above the stack may be another mapping, that cannot be written to. */
static int write_stack(pid_t pid, uint64_t start, const uint8_t *stack, size_t n)
{
	uint8_t part[256];
	int err = 0;

	for (size_t at = 0, len; !err && at < n; at += len) {
		len = sizeof(part) - (start + at) % sizeof(part);
		len = len < n - at ? len : n - at;
		err = task_read(pid, part, start + at, len);
		if (!err && memcmp(part, stack + at, len))
			err = task_write(pid, start + at, stack + at, len);
	}
	return err;
}

int signal_frames_settle(pid_t pid, uint64_t sp)
{
	CLEANUP_FREE uint8_t *stack = ARCH_FRAMES_VARY ? malloc(DEPTH) : NULL;
	const uint64_t start = sp & ~7ULL;
	uint64_t needs = 0;
	size_t n;
	int err;

	if (!ARCH_FRAMES_VARY)
		return 0;
	if (!stack)
		return fail(ENOMEM, "out of memory");
	n = read_stack(pid, start, stack);
	if (!arch_frames_settle(stack, start, n, ARCH_FRAME_WORD ? arch_frames_taken() : 0, &needs))
		return 0;
	log_debug("signal frames at %#" PRIx64 ": blocks that hold nothing are left out", start);
	err = write_stack(pid, start, stack, n);
	return err ? fail_for(err, "signal frames at %#" PRIx64, start) : 0;
}

int signal_frames_words(pid_t pid, uint64_t sp, uint64_t lo, uint64_t hi, int (*each)(void *arg, uint64_t word), void *arg)
{
	enum { NEXT = 2 };	/* so many words around one tell what it is */
	CLEANUP_FREE uint8_t *stack = malloc(DEPTH);
	unsigned long word[NEXT + 1 + NEXT];
	size_t n;
	int ret = 0;

	if (!stack)
		return fail(ENOMEM, "out of memory");
	n = read_stack(pid, sp & ~7ULL, stack);
	for (size_t at = 0; !ret && at + sizeof(word) <= n; at += sizeof(*word)) {
		memcpy(word, stack + at, sizeof(word));
		if (word[NEXT] >= lo && word[NEXT] < hi && arch_may_be_frame_pc(&word[NEXT]))
			ret = each(arg, word[NEXT]);
	}
	return ret;
}

int signal_frames_need(const struct tree *tree, uint64_t *needs)
{
	CLEANUP_FREE uint8_t *stack = ARCH_FRAME_WORD ? malloc(DEPTH) : NULL;
	struct arch_regs regs;

	*needs = 0;
	if (!ARCH_FRAME_WORD)
		return 0;
	if (!stack)
		return fail(ENOMEM, "out of memory");
	for (size_t i = 0; i < tree->n; i++) {
		const struct process *p = &tree->processes[i];

		for (size_t j = 0; !p->zombie && j < p->threads_n; j++) {
			int err = thread_regs(p->threads[j].tid, &regs);
			const uint64_t start = arch_sp(&regs) & ~7ULL;

			if (err)
				return fail_for(err, "thread %d: its registers", p->threads[j].tid);
			(void)arch_frames_settle(stack, start, read_stack(p->tid, start, stack), 0, needs);
		}
	}
	return 0;
}
