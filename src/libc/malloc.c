/* SPDX-License-Identifier: MIT */
/*
 * malloc(3) and its kin.  Blocks are powers of two; one that is freed waits in a list for the next of its size; large ones
 * are mappings of their own, which grow without a copy.  Threads of the tool do not allocate, so nothing is locked.
 * The C library's takes 5 KB more, for threads and against misuse.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct block {
	size_t size;	/* with this header */
	struct block *next;	/* while it is free; as long as size, so that what follows is aligned to 16 */
} __attribute__((aligned(16)));

enum { SMALLEST = 5, LARGE = 16, ARENA = 1 << LARGE };	/* powers of two */

static struct block *waiting[LARGE];
static uint8_t *arena, *arena_end;

static void *map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static struct block *large(size_t size)
{
	struct block *b = map(size);

	if (b)
		b->size = size;
	return b;
}

static struct block *small(unsigned int order)
{
	struct block *b = waiting[order];
	size_t size = (size_t)1 << order;

	if (b) {
		waiting[order] = b->next;
		return b;
	}
	/* what is left of the arena is too small for this one, and is given up: less than one block of this size */
	if (arena_end < arena + size) {
		arena = map(ARENA);
		arena_end = arena ? arena + ARENA : NULL;
		if (!arena)
			return NULL;
	}
	b = (struct block *)(void *)arena;
	arena += size;
	b->size = size;
	return b;
}

/* One that is not is a power of two below ARENA. */
static int is_large(const struct block *b)
{
	return b->size >= ARENA || b->size & (b->size - 1);
}

void *malloc(size_t n)
{
	unsigned int order = SMALLEST;
	struct block *b;

	if (n > PTRDIFF_MAX - ARENA) {
		errno = ENOMEM;
		return NULL;
	}
	n += sizeof(*b);
	while (order < LARGE && (size_t)1 << order < n)
		order++;
	b = order < LARGE ? small(order) : large(n);
	return b ? b + 1 : NULL;
}

void free(void *p)
{
	struct block *b = p;
	int saved = errno;

	if (!p)
		return;
	b--;
	if (is_large(b)) {
		munmap(b, b->size);
		errno = saved;
		return;
	}
	b->next = waiting[__builtin_ctzl(b->size)];
	waiting[__builtin_ctzl(b->size)] = b;
}

void *calloc(size_t count, size_t size)
{
	void *p;

	if (size && count > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	size *= count;
	p = malloc(size ? size : 1);
	return p ? memset(p, 0, size) : NULL;
}

void *realloc(void *p, size_t n)
{
	struct block *b = p;
	void *moved;

	if (!p)
		return malloc(n);
	b--;
	if (n <= b->size - sizeof(*b))
		return p;
	if (is_large(b) && n <= PTRDIFF_MAX - ARENA) {
		b = mremap(b, b->size, n + sizeof(*b), MREMAP_MAYMOVE);
		if (b == MAP_FAILED)
			return NULL;
		b->size = n + sizeof(*b);
		return b + 1;
	}
	moved = malloc(n);
	if (!moved)
		return NULL;
	memcpy(moved, p, b->size - sizeof(*b));
	free(p);
	return moved;
}
