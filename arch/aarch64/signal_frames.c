/* SPDX-License-Identifier: MIT */
/*
 * Behind the general registers a signal frame has blocks of a magic number and a length, at multiples of 16 up to one of 0:
 * that of FPSIMD, and those of what else processor and kernel have.  They may go on elsewhere in the frame (EXTRA).  A kernel
 * refuses a frame with a block that it does not know, and the handler's return kills (arch/arm64/kernel/signal.c,
 * asm/sigcontext.h).
 */
#include "arch.h"

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum {
	FPSIMD = 0x46508001,
	ESR = 0x45535201,
	EXTRA = 0x45585401,
	FPSIMD_LEN = 528,
	EMPTY = 16,	/* the length of a block without registers, or with one of them */
};
static const uint64_t SME2 = 1ULL << 37 /* HWCAP2 */, GCS = 1ULL << 32 /* HWCAP */;

/* The blocks that not all kernels know, as bits of ARCH_FRAME_WORD. */
enum kind { UNKNOWN, OF_SVE, OF_TPIDR2, OF_ZA, OF_ZT, OF_POE, OF_FPMR, OF_GCS, KINDS };
static const uint32_t magic[KINDS] = { 0, 0x53564501, 0x54504902, 0x54366345, 0x5a544e01, 0x504f4530, 0x46504d52, 0x47435300 };

struct block {
	uint32_t magic, len;
	uint64_t first;		/* of its content */
};

static uint64_t bit_of(const struct block *b)
{
	enum kind kind = OF_SVE;

	if (b->magic == FPSIMD || b->magic == ESR || b->magic == EXTRA)
		return 0;
	while (kind < KINDS && magic[kind] != b->magic)
		kind++;
	return 1ULL << (kind < KINDS ? kind : UNKNOWN);
}

/* Would nothing be lost without it, on a kernel that does not know it? */
static bool is_empty(const struct block *b, uint64_t bit)
{
	if (bit & (1 << OF_SVE | 1 << OF_ZA))	/* the vector length alone */
		return b->len == EMPTY;
	return bit & (1 << OF_TPIDR2 | 1 << OF_FPMR) && b->len == EMPTY && !b->first;
}

/* false: there is none up to limit, and no end of them either. */
static bool block_at(const uint8_t *p, size_t at, size_t limit, struct block *b)
{
	if (at > limit || limit - at < sizeof(*b))
		return false;
	memcpy(b, p + at, sizeof(*b));
	return b->magic ? b->len >= EMPTY && !(b->len % 16) && b->len <= limit - at : !b->len;
}

/* Where the blocks from p[from] on end; 0: these are none. *extra: where they go on, 0: nowhere. */
static size_t end_of_blocks(const uint8_t *p, size_t from, size_t limit, uint64_t *extra)
{
	struct block b;

	*extra = 0;
	for (; block_at(p, from, limit, &b); from += b.len) {
		if (!b.magic)
			return from;
		if (b.magic == EXTRA)
			*extra = b.first;
	}
	return 0;
}

static bool settle(uint8_t *p, size_t at, size_t end, uint64_t takes, uint64_t *needs)
{
	bool any = false;
	struct block b;

	while (at < end && block_at(p, at, end + sizeof(b), &b) && b.magic) {
		const uint64_t bit = bit_of(&b);

		if (!bit || takes & bit || !is_empty(&b, bit)) {
			*needs |= bit;
			at += b.len;
			continue;
		}
		memmove(p + at, p + at + b.len, end - at - b.len);
		end -= b.len;
		memset(p + end, 0, b.len);
		any = true;
	}
	return any;
}

bool arch_frames_settle(uint8_t *stack, uint64_t at, size_t n, uint64_t takes, uint64_t *needs)
{
	bool any = false;
	struct block b;

	for (size_t i = (size_t)(-at & 15); i < n; i += 16) {
		uint64_t extra, none;
		size_t end, more = 0;

		if (!block_at(stack, i, n, &b) || b.magic != FPSIMD || b.len != FPSIMD_LEN)
			continue;
		end = end_of_blocks(stack, i, n, &extra);
		if (!end)
			continue;
		if (extra > at + end && extra - at < n && !(extra & 15))
			more = end_of_blocks(stack, (size_t)(extra - at), n, &none);
		any |= settle(stack, i, end, takes, needs);
		if (more)
			any |= settle(stack, (size_t)(extra - at), more, takes, needs);
		i = end & ~(size_t)15;
	}
	return any;
}

static volatile uint64_t written;

static void look(int number, siginfo_t *info, void *context)
{
	const uint8_t *p = (const uint8_t *)((ucontext_t *)context)->uc_mcontext.__reserved;
	struct block b;

	(void)number, (void)info;
	for (size_t at = 0; block_at(p, at, sizeof(((ucontext_t *)context)->uc_mcontext.__reserved), &b) && b.magic; at += b.len)
		written |= bit_of(&b);
}

/* It writes most of those that it takes into every frame, and two where there is something in them. */
uint64_t arch_frames_taken(void)
{
	const struct sigaction action = { .sa_sigaction = look, .sa_flags = SA_SIGINFO };
	struct sigaction before;
	sigset_t set, mask;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	if (sigaction(SIGURG, &action, &before))
		return 0;
	sigprocmask(SIG_UNBLOCK, &set, &mask);
	/* not raise(3): the C library may remember who we were before a clone(2) that it does not know of */
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGURG);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGURG, &before, NULL);
	return (written & ~(1ULL << UNKNOWN)) | (uint64_t)!!(getauxval(AT_HWCAP2) & SME2) << OF_ZT |
	       (uint64_t)!!(getauxval(AT_HWCAP) & GCS) << OF_GCS;
}
