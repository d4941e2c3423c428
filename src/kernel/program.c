/* SPDX-License-Identifier: MIT */
#include "kernel/program.h"

#include <string.h>

#include "kernel/task_memory.h"

void program_init(struct program *p, void *image, size_t size, uint64_t base)
{
	*p = (struct program){ .image = image, .size = size, .base = base, .data = size };
}

struct op *program_ops(const struct program *p)
{
	return (struct op *)(void *)p->image;
}

bool program_fits(const struct program *p, size_t ops, size_t data)
{
	return !p->full && (p->ops + ops) * sizeof(struct op) + data <= p->data;
}

int program_op(struct program *p, unsigned long flags, long nr, const long args[6])
{
	struct op *op = program_ops(p) + p->ops;

	if (!program_fits(p, 1, 0)) {
		p->full = true;
		return -1;
	}
	*op = (struct op){ .nr = nr, .flags = flags };
	memcpy(op->arg, args, sizeof(op->arg));
	return (int)p->ops++;
}

long program_data(struct program *p, const void *from, size_t len)
{
	size_t room = (len + 15) & ~(size_t)15;

	if (room < len || !program_fits(p, 0, room)) {
		p->full = true;
		return 0;
	}
	p->data -= room;
	if (from)
		memcpy(p->image + p->data, from, len);
	else
		memset(p->image + p->data, 0, len);
	return (long)(p->base + p->data);
}

long program_at(const struct program *p, int i)
{
	return (long)(p->base + (size_t)i * sizeof(struct op));
}

long program_result(const struct program *p, int i)
{
	return program_ops(p)[i].ret;
}

const void *program_read(const struct program *p, long address)
{
	return p->image + ((unsigned long)address - p->base);
}

/* Operations and data lie at the two ends; what is between is not moved, nor its pages touched. */
static int move(const struct program *p, pid_t pid, enum task_access access)
{
	const size_t ops = p->ops * sizeof(struct op), data = p->size - p->data;
	const struct iovec here[] = { { p->image, ops }, { p->image + p->data, data } };
	const struct iovec there[] = { { (void *)(uintptr_t)p->base, ops }, { (void *)(uintptr_t)(p->base + p->data), data } };

	return task_move(pid, access, here, there, 2);
}

int program_send(const struct program *p, pid_t pid)
{
	return move(p, pid, TASK_WRITE);
}

int program_fetch(struct program *p, pid_t pid)
{
	return move(p, pid, TASK_READ);
}
