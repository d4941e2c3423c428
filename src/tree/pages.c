/* SPDX-License-Identifier: MIT */
#include "tree/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/task_memory.h"
#include "pages.pb.h"
#include "tree/records.h"
#include "tree/tags.h"
#include "vma.pb.h"

enum { RUNS_MAX = BODY_MAX / 4096 };	/* in one record; pages are nowhere smaller */

struct pages {
	struct save *s;
	pid_t pid;
	Pages m;
	size_t filled;			/* pages in m */
	Runs drop, guard;
	uint64_t zeros_may_go;		/* bit i: pages of zeros in run i need not be stored */
	bool by_mem;			/* how the runs in m are to be read */
};

static bool is_zero(const uint8_t *page, size_t len)
{
	const uint64_t *w = (const uint64_t *)(const void *)page;

	for (size_t i = 0; i < len / sizeof(*w); i += 4)
		if (w[i] | w[i + 1] | w[i + 2] | w[i + 3])
			return false;
	return true;
}

/* Takes pages of zeros out of what was just read, where a page that is not stored reads as zeros. */
static void leave_out_zeros(struct pages *p, uint8_t *body)
{
	uint64_t page = p->s->page_size;
	Pages out = { .process = p->m.process, .page_shift = p->m.page_shift };
	uint8_t *to = body;

	for (size_t i = 0; i < p->m.start_count; i++) {
		bool may_go = p->zeros_may_go >> i & 1;

		for (uint64_t k = 0; k < p->m.count[i]; k++, body += page) {
			uint64_t number = p->m.start[i] + k;
			size_t last = out.start_count;

			if (may_go && is_zero(body, page)) {
				p->s->totals.pages_zero++;
				continue;
			}
			if (to != body)
				memcpy(to, body, page);
			to += page;
			if (last && out.start[last - 1] + out.count[last - 1] == number) {
				out.count[last - 1]++;
				continue;
			}
			out.start[last] = number;
			out.count[last] = 1;
			out.start_count = out.count_count = (pb_size_t)(last + 1);
		}
	}
	p->m = out;
	p->filled = (size_t)(to - image_body(&p->s->image)) / page;
}

/*
 * process_vm_readv(2) pins what it reads, and a page that forks share copy-on-write is copied for that (mm/gup.c,
 * gup_must_unshare, since Linux 5.19): the workload would grow by being saved.  It also stops at what the task itself
 * may not read.  /proc/PID/mem does neither, but is slower.
 */
static int read_pages(const struct pages *p, uint8_t *body)
{
	uint64_t page = p->s->page_size;
	struct iovec here[RUNS_MAX], there[RUNS_MAX];
	int err;

	for (size_t i = 0; i < p->m.start_count; i++) {
		here[i] = (struct iovec){ body, p->m.count[i] * page };
		there[i] = (struct iovec){ (void *)(uintptr_t)(p->m.start[i] << p->m.page_shift), here[i].iov_len };
		body += here[i].iov_len;
	}
	err = task_move(p->pid, p->by_mem ? TASK_READ_FORCED : TASK_READ, here, there, p->m.start_count);
	return err ? fail(err, "reading its memory at %" PRIx64 ": %s", p->m.start[0] << p->m.page_shift, strerror(-err)) : 0;
}

static int flush_pages(struct pages *p)
{
	uint8_t *body = image_body(&p->s->image);
	int err;

	if (!p->filled)
		return 0;
	err = save_look(p->s);
	if (!err)
		err = read_pages(p, body);
	if (err)
		return err;
	leave_out_zeros(p, body);
	if (p->filled) {
		p->s->totals.pages_stored += p->filled;
		err = SAVE_RECORD(p->s, RECORD_PAGES, Pages_fields, &p->m, body, p->filled * p->s->page_size);
		if (err)
			return err;
	}
	p->filled = 0;
	p->m.start_count = p->m.count_count = 0;
	p->zeros_may_go = 0;
	return 0;
}

static int add_pages(struct pages *p, const struct area *a, uint64_t start, uint64_t end)
{
	uint64_t page = p->s->page_size;
	size_t most = BODY_MAX / page;

	if (ARCH_TAGS && a->tags) {
		int err = tags_save(p->s, p->m.process, p->pid, start, end, a->inherited);

		if (err)
			return err;
	}
	while (start < end) {
		size_t n = (size_t)((end - start) / page), i;
		int err;

		/* a body holds at most RUNS_MAX pages, and so as many runs, however zeros split them */
		if (p->filled == most || (p->filled && p->by_mem != a->by_mem)) {
			err = flush_pages(p);
			if (err)
				return err;
		}
		if (n > most - p->filled)
			n = most - p->filled;
		i = p->m.start_count;
		p->by_mem = a->by_mem;
		if (i && p->m.start[i - 1] + p->m.count[i - 1] == start >> p->m.page_shift && a->start < start) {
			p->m.count[i - 1] += (uint32_t)n;	/* goes on where the run before ended */
			p->filled += n;
			start += n * page;
			continue;
		}
		p->m.start[i] = start >> p->m.page_shift;
		p->m.count[i] = (uint32_t)n;
		p->m.start_count = p->m.count_count = (pb_size_t)(i + 1);
		if (a->anonymous && !a->inherited)
			p->zeros_may_go |= 1ULL << i;
		p->filled += n;
		start += n * page;
	}
	return 0;
}

static int flush_runs(struct pages *p, Runs *runs, uint16_t type)
{
	int err;

	if (!runs->start_count)
		return 0;
	err = SAVE_RECORD(p->s, type, Runs_fields, runs, NULL, 0);
	runs->start_count = runs->end_count = 0;
	return err;
}

static int add_run(struct pages *p, Runs *runs, uint16_t type, uint64_t start, uint64_t end)
{
	size_t n = runs->start_count;

	if (n && runs->end[n - 1] == start) {
		runs->end[n - 1] = end;
		return 0;
	}
	if (n == sizeof(runs->start) / sizeof(*runs->start)) {
		int err = flush_runs(p, runs, type);

		if (err)
			return err;
		n = 0;
	}
	runs->start[n] = start;
	runs->end[n] = end;
	runs->start_count = runs->end_count = (pb_size_t)(n + 1);
	return 0;
}

/* Documentation/admin-guide/mm/pagemap.rst */
enum { PM_WINDOW = 512 };
static const uint64_t PM_PRESENT = 1ULL << 63, PM_SWAPPED = 1ULL << 62, PM_FILE = 1ULL << 61, PM_PFN = (1ULL << 55) - 1;

static bool has_data(uint64_t entry)
{
	return entry & PM_SWAPPED || ((entry & PM_PRESENT) && !(entry & PM_FILE));
}

static bool same_page(uint64_t a, uint64_t b)
{
	return ((a ^ b) & (PM_PRESENT | PM_SWAPPED | PM_FILE | PM_PFN)) == 0 && (a & PM_PFN) != 0;
}

int pagemap_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = proc_open(path, O_RDONLY);
	return fd < 0 ? fail_errno("%s", path) : fd;
}

/* One mapping page by page: the way for kernels without PAGEMAP_SCAN, and to compare with the parent. */
static int walk_pagemap(struct pages *p, const struct area *a, int own)
{
	uint64_t page = p->s->page_size;
	uint64_t mine[PM_WINDOW], theirs[PM_WINDOW];

	for (uint64_t at = a->start; at < a->end; at += PM_WINDOW * page) {
		size_t n = (size_t)((a->end - at) / page);
		int err;

		if (n > PM_WINDOW)
			n = PM_WINDOW;
		err = pread_all(own, mine, n * 8, at / page * 8);
		if (!err && a->inherited)
			err = pread_all(p->s->parent.pagemap, theirs, n * 8, at / page * 8);
		if (err)
			return fail(err, "its pagemap at %" PRIx64 ": %s", at, strerror(-err));
		for (size_t i = 0; i < n; i++) {
			uint64_t here = at + i * page;

			err = 0;
			if (has_data(mine[i])) {
				if (!a->inherited || !same_page(mine[i], theirs[i]))
					err = add_pages(p, a, here, here + page);
			} else if (a->inherited && has_data(theirs[i])) {
				err = add_run(p, &p->drop, RECORD_DROP, here, here + page);
			}
			if (err)
				return err;
		}
	}
	return 0;
}

/* The mapping in one call that skips holes, however large.  1: the kernel has no such call. */
static int scan_pagemap(struct pages *p, const struct area *a, int own)
{
	struct page_region regions[256];
	struct pm_scan_arg scan = {
		.size = sizeof(scan),
		.start = a->start,
		.end = a->end,
		.vec = (uintptr_t)regions,
		.vec_len = sizeof(regions) / sizeof(*regions),
		.category_inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO,
		.category_mask = PAGE_IS_FILE | PAGE_IS_PFNZERO,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_GUARD | PAGE_IS_PRESENT,
	};
	static bool no_guard;

	while (scan.start < a->end) {
		int n;

		if (no_guard)
			scan.return_mask &= ~(uint64_t)PAGE_IS_GUARD;
		n = ioctl(own, PAGEMAP_SCAN, &scan);
		if (n < 0 && errno == EINVAL && !no_guard) {
			no_guard = true;
			continue;
		}
		if (n < 0)
			return errno == ENOTTY || errno == EINVAL ? 1 : fail_errno("PAGEMAP_SCAN");
		for (int i = 0; i < n; i++) {
			const struct page_region *r = &regions[i];
			int err = r->categories & PAGE_IS_GUARD ? add_run(p, &p->guard, RECORD_GUARD, r->start, r->end)
								: add_pages(p, a, r->start, r->end);

			if (err)
				return err;
		}
		scan.start = scan.walk_end;
	}
	return 0;
}

int pages_save(struct save *s, const struct process *process)
{
	struct pages pages = {
		.s = s, .pid = process->tid,
		.m = { .process = (uint32_t)process->pid, .page_shift = (uint32_t)__builtin_ctzl(s->page_size) },
	}, *p = &pages;
	struct area a;
	CLEANUP_CLOSE int own = pagemap_open(p->pid);
	bool no_scan = false;
	int err = 0;

	if (own < 0)
		return own;
	for (struct ranges_at at = { 0 }; !err && ranges_next(&s->areas, &at, &a, sizeof(a));) {
		if (ARCH_TAGS && a.shared && a.tags)
			err = tags_save_shared(s, p->m.process, p->pid, &a);
		if (err)
			break;
		err = a.inherited || no_scan ? 1 : scan_pagemap(p, &a, own);
		if (err == 1) {
			no_scan |= !a.inherited;
			err = walk_pagemap(p, &a, own);
		}
	}
	if (!err)
		err = flush_pages(p);
	if (!err)
		err = flush_runs(p, &p->drop, RECORD_DROP);
	return err ? err : flush_runs(p, &p->guard, RECORD_GUARD);
}
