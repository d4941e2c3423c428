/* SPDX-License-Identifier: MIT */
#include "tree/remap.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "base/path.h"
#include "config.h"
#include "kernel/abi.h"
#include "kernel/procfs.h"
#include "kernel/task_memory.h"
#include "pages.pb.h"
#include "tree/birth.h"
#include "tree/fill.h"
#include "tree/install.h"
#include "tree/lists.h"
#include "tree/mapped.h"
#include "tree/own.h"
#include "tree/reborn.h"
#include "tree/records.h"
#include "tree/vdso.h"
#include "vma.pb.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 /* 5.7 */
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

/* Names are for people alone: a kernel without them is no reason to fail. */
static int note_label(struct restore *r, struct mapped *v, const char *name)
{
	struct buffer *labels = &r->memory.labels;
	size_t at = 1;

	if (!labels->len && prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, 0UL, 0UL, 0UL)) {	/* of no memory: just whether it is known */
		log_warning("names of memory areas are not kept: this kernel has none (CONFIG_ANON_VMA_NAME)");
		r->no_labels = true;
	}
	while (at < labels->len && strcmp((const char *)labels->data + at, name))
		at += strlen((const char *)labels->data + at) + 1;
	v->label = (uint32_t)at;
	if ((!labels->len && buffer_append(labels, "", 1)) || (at == labels->len && buffer_append(labels, name, strlen(name) + 1)))
		return fail(ENOMEM, "out of memory");
	return 0;
}

/* A child has its parent's names until it gets its own. */
static void add_label(const struct restore *r, const struct memory *m, struct program *p, const struct mapped *v)
{
	const char *label = (const char *)m->labels.data + v->label;

	if (m->labels.len && !r->no_labels && (v->label || v->inherited))
		program_call(p, 0, SYS_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, (long)v->start, (long)(v->end - v->start),
			     *label ? program_data(p, label, strlen(label) + 1) : 0);
}

static int not_executed(int fd)
{
	char path[PATH_MAX];

	path_of(fd, path, sizeof(path));
	return fail(EIMAGE, "%s: it is executed, and its mount (noexec) allows that no more", path);
}

int remap_note(struct restore *r, const struct record *rec)
{
	Vma m;
	struct mapped v = { 0 };
	int err = record_decode(rec, Vma_fields, &m);

	if (err)
		return err;
	if (m.start >= m.end || m.end > ARCH_TASK_SIZE || (m.start | m.end | m.pgoff) % r->page_size ||
	    (m.start < r->area + REBORN_ROOM && m.end > r->area) || r->memory.end > m.start ||
	    m.kind > VmaKind_VDSO || m.prot & ~(7U | ARCH_PROT_BTI | ARCH_PROT_TAGS))
		return fail(EIMAGE, "mapping %" PRIx64 "-%" PRIx64 ": absurd, or not in order", m.start, m.end);
	if (m.kind == VmaKind_FILE_BACKED && world_fd(r, m.file) < 0)
		return fail(EIMAGE, "mapping %" PRIx64 "-%" PRIx64 ": no file %u", m.start, m.end, m.file);
	if (m.kind == VmaKind_FILE_BACKED && m.prot & PROT_EXEC && path_is_noexec(world_fd(r, m.file)))
		return not_executed(world_fd(r, m.file));
	if (m.huge && (m.huge & (m.huge - 1) || m.huge < r->page_size))
		return fail(EIMAGE, "mapping %" PRIx64 "-%" PRIx64 ": an absurd page size", m.start, m.end);
	v = (struct mapped){
		.start = m.start, .end = m.end,
		.prot = (uint8_t)m.prot, .kind = (uint8_t)m.kind, .shared = m.shared, .grows_down = m.grows_down,
		.locked = m.locked, .onfault = m.onfault, .hugepage = m.hugepage, .nohugepage = m.nohugepage, .noreserve = m.noreserve,
		.dontdump = m.dontdump, .mergeable = m.mergeable, .inherited = m.inherited,
		.droppable = m.droppable, .untouched = m.untouched, .advice = (uint8_t)m.advice,
	};
	if (m.inherited && !birth_find(r, r->pid)->parent)
		return fail(EIMAGE, "mapping %" PRIx64 "-%" PRIx64 ": inherited from nobody", m.start, m.end);
	if (m.kind == VmaKind_VDSO) {
		memcpy(v.name, m.name, sizeof(v.name) - 1);
		v.crc = m.crc;
		v.text = m.text;
		v.spare = m.spare;
		if (IS_ON_VDSO_PROXY && rec->body_len)
			err = vdso_keep(r, &v, rec->body, rec->body_len);
	} else {
		v.pgoff = m.pgoff;
		v.file = m.file;
		v.huge = m.huge;
		err = m.name[0] ? note_label(r, &v, m.name) : 0;
	}
	return err ? err : mapped_add(&r->memory, &v);
}

/* What the process has now, on the way to what it shall have. */
struct layout {
	struct restore *r;
	struct program p;
	struct mapped_at at;
	struct mapped want;		/* the first one that ends behind the current mapping's start, */
	bool more;			/* if there is one */
	uint64_t from, to;		/* to be unmapped, not yet in the program */
	struct owns owns;
};

static const char WHAT[] = "laying out its memory";

static int flush_unmap(struct layout *l)
{
	int err = 0;

	if (l->from < l->to) {
		err = reborn_room(l->r, l->r->pid, &l->p, 1, 0, WHAT);
		program_call(&l->p, OP_MUST, SYS_munmap, (long)l->from, (long)(l->to - l->from));
	}
	l->from = l->to = 0;
	return err;
}

static int unmap(struct layout *l, uint64_t from, uint64_t to)
{
	int err = 0;

	if (from >= to)
		return 0;
	if (l->to != from) {
		err = flush_unmap(l);
		l->from = from;
	}
	l->to = to;
	return err;
}

static int unmap_unwanted(void *arg, struct vma *v)
{
	struct layout *l = arg;
	uint64_t at = v->start;
	int err = 0;

	if (vma_is_everywhere(v) || v->start == l->r->area)
		return 0;
	if (vma_is_kernels_own(v))
		return own_note(&l->owns, v);
	for (; !err && l->more && l->want.start < v->end; l->more = mapped_next(&l->r->memory, &l->at, &l->want)) {
		if (l->want.inherited && l->want.end > v->start) {
			err = unmap(l, at, l->want.start);
			at = l->want.end;
		}
		if (l->want.end > v->end)
			break;
	}
	return err ? err : unmap(l, at, v->end);
}

/* By way of a place beside the area, since where they are and where they shall be may overlap. */
static int move_kernels_own(struct layout *l)
{
	uint64_t aside = l->r->area + REBORN_AREA;

	for (int leg = 0; leg < 2; leg++) {
		for (size_t i = 0; i < l->owns.n; i++) {
			struct own *own = &l->owns.own[i];
			const uint64_t len = own->end - own->start, to = leg ? own->to : aside;
			int err;

			if (own->to == own->start || (!own->to && !leg))
				continue;
			err = reborn_room(l->r, l->r->pid, &l->p, 1, 0, WHAT);
			if (err)
				return err;
			if (!own->to) {
				program_call(&l->p, OP_MUST, SYS_munmap, (long)own->start, (long)len);
				continue;
			}
			aside += len;
			program_call(&l->p, OP_MUST, SYS_mremap, (long)own->start, (long)len, (long)len,
				     MREMAP_MAYMOVE | MREMAP_FIXED, (long)to);
			own->start = to;
			own->end = to + len;
		}
	}
	return 0;
}

/*
 * Until its pages are filled in; what is executable only then is what was written, whatever the caches hold.  Where none are, the
 * kernel would look for as much memory as it is long, and a reservation may be longer than there is.
 */
static long prot_until_filled(const struct mapped *v)
{
	return v->shared || v->untouched ? v->prot : (v->prot | PROT_WRITE) & ~PROT_EXEC;
}

/* From start to end, which lie in the mapping. */
static void add_mmap(const struct restore *r, struct program *p, const struct mapped *v, uint64_t start, uint64_t end, long prot)
{
	const long pgoff = (long)((v->pgoff + (start - v->start)) / ARCH_MMAP_UNIT), len = (long)(end - start);
	long flags = MAP_FIXED | (v->shared ? MAP_SHARED : MAP_PRIVATE), fd = -1;

	if (v->kind == VmaKind_FILE_BACKED)
		fd = world_fd(r, v->file);
	else
		flags |= MAP_ANONYMOUS;
	if (v->grows_down)
		flags |= MAP_GROWSDOWN;
	if (v->noreserve)
		flags |= MAP_NORESERVE;
	if (v->huge)
		flags |= MAP_HUGETLB | (long)__builtin_ctzll(v->huge) << MAP_HUGE_SHIFT;
	program_call(p, OP_MUST, ARCH_NR_mmap, (long)start, len, prot, flags, fd, pgoff);
	if (IS_ON_SETTINGS && v->droppable)	/* in its place, where the kernel has such */
		program_call(p, 0, ARCH_NR_mmap, (long)start, len, prot, flags ^ MAP_PRIVATE ^ MAP_DROPPABLE, fd, pgoff);
}

static int map_one(struct layout *l, const struct mapped *v)
{
	const long len = (long)(v->end - v->start), prot = prot_until_filled(v);
	int err = reborn_room(l->r, l->r->pid, &l->p, 4, 0, WHAT);

	if (err)
		return err;
	if (v->inherited)
		program_call(&l->p, OP_MUST, SYS_mprotect, (long)v->start, len, prot);
	else
		add_mmap(l->r, &l->p, v, v->start, v->end, prot);
	if (v->hugepage)
		program_call(&l->p, 0, SYS_madvise, (long)v->start, len, MADV_HUGEPAGE);
	if (v->nohugepage)
		program_call(&l->p, 0, SYS_madvise, (long)v->start, len, MADV_NOHUGEPAGE);
	return 0;
}

int remap_layout(struct restore *r)
{
	struct layout l = { .r = r };
	struct memory *m = &r->memory;
	int uffd = -1, err;

	l.more = mapped_next(m, &l.at, &l.want);
	reborn_program(r, &l.p);
	err = proc_vmas(r->pid, false, unmap_unwanted, &l);
	if (!err)
		err = flush_unmap(&l);
	if (!err)
		err = own_place(r, &l.owns);
	if (!err)
		err = move_kernels_own(&l);
	for (struct mapped_at at = { 0 }; !err && mapped_next(m, &at, &l.want);)
		if (l.want.kind != VmaKind_VDSO)
			err = map_one(&l, &l.want);
	if (!err && IS_ON_INSTALL_PAGES) {
		err = reborn_room(r, r->pid, &l.p, 1, 0, WHAT);
		uffd = err ? -1 : install_ask(r, &l.p);
	}
	if (!err)
		err = reborn_run(r, r->pid, &l.p, WHAT);
	if (!err && IS_ON_INSTALL_PAGES && uffd >= 0)
		install_begin(r, program_result(&l.p, uffd));
	return err || !IS_ON_VDSO_PROXY ? err : vdso_fill(r, &l.owns);
}

int remap_pages(struct restore *r, const struct record *rec)
{
	Pages m;
	struct iovec here[FILL_PLACES_MAX], there[FILL_PLACES_MAX];
	uint64_t total = 0;
	size_t n = 0;
	int err = record_decode(rec, Pages_fields, &m);

	if (err)
		return err;
	if ((pid_t)m.process != r->pid || m.start_count != m.count_count || !m.start_count || m.page_shift > 20 ||
	    1ULL << m.page_shift != r->page_size)
		return fail(EIMAGE, "pages of process %u: not in their place", m.process);
	for (size_t i = 0; i < m.start_count; i++) {
		uint64_t start = m.start[i] << m.page_shift, len = (uint64_t)m.count[i] << m.page_shift;

		if (m.start[i] > ARCH_TASK_SIZE >> m.page_shift || start + len > ARCH_TASK_SIZE ||
		    (start < r->area + REBORN_AREA && start + len > r->area))
			return fail(EIMAGE, "pages at %" PRIx64 " of process %u: an absurd place", start, m.process);
		if (total + len > rec->body_len)
			return fail(EIMAGE, "pages of process %u: more than the %u bytes that are there", m.process, rec->body_len);
		for (uint64_t part; len; len -= part, start += part, total += part) {
			part = IS_ON_INSTALL_PAGES ? install_part(r, start, len) : len;
			here[n] = (struct iovec){ (void *)((uintptr_t)rec->body + (uintptr_t)total), part };
			there[n++] = (struct iovec){ (void *)(uintptr_t)start, part };
		}
	}
	if (total != rec->body_len)
		return fail(EIMAGE, "pages of process %u: %u bytes where %" PRIu64 " were promised", m.process, rec->body_len, total);
	if (IS_ON_COPY_BEHIND)
		r->lots++;
	if (IS_ON_COPY_BEHIND && total && !rec->body) {
		fill_behind(r, rec, there, n);
		return 0;
	}
	err = IS_ON_INSTALL_PAGES ? install_pages(r->memory.uffd, r->pid, here, there, n)
				  : task_move(r->pid, TASK_WRITE, here, there, n);
	return err ? fail(err, "filling its memory at %" PRIx64 ": %s", m.start[0] << m.page_shift, strerror(-err)) : 0;
}

static const char DROPPING[] = "dropping pages";

/*
 * The pages move away, and the mapping stays as it is; where the kernel does not do that, a new one takes its place, which may not
 * become one with what is around it.
 */
static void add_drop(const struct restore *r, struct program *p, const struct mapped *v, uint64_t start, uint64_t end)
{
	const long len = (long)(end - start);
	const int move = program_call(p, 0, SYS_mremap, (long)start, len, len, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	const long moved = program_at(p, move) + (long)offsetof(struct op, ret);

	program_call(p, OP_INDIRECT << 0, OP_JUMP_IF_EQUAL, moved, -EINVAL, program_at(p, move + 5));
	program_call(p, OP_INDIRECT << 0, OP_JUMP_IF_EQUAL, moved, -EFAULT, program_at(p, move + 5));
	program_call(p, OP_MUST | OP_INDIRECT << 0, SYS_munmap, moved, len);
	program_call(p, 0, OP_JUMP, program_at(p, move + 6));
	add_mmap(r, p, v, start, end, prot_until_filled(v));
}

/* On a kernel without madvise(2). */
static int drop_otherwise(struct restore *r, struct program *p, uint64_t start, uint64_t end)
{
	struct mapped v;
	int err = 0;

	for (struct mapped_at at = { 0 }; !err && mapped_next(&r->memory, &at, &v);) {
		const uint64_t from = v.start > start ? v.start : start, to = v.end < end ? v.end : end;

		if (from >= to || !v.inherited)
			continue;
		err = reborn_room(r, r->pid, p, 7, 0, DROPPING);
		add_drop(r, p, &v, from, to);
	}
	return err;
}

int remap_runs(struct restore *r, const struct record *rec)
{
	Runs m;
	struct program p;
	int err = lists_runs(rec, &m);
	const bool otherwise = IS_ON_BARE_KERNELS && rec->type == RECORD_DROP && syscall(SYS_madvise, 0, 0, MADV_NORMAL) && errno == ENOSYS;

	if (err)
		return err;
	reborn_program(r, &p);
	for (size_t i = 0; i < m.start_count; i++) {
		if (m.start[i] >= m.end[i] || m.end[i] > ARCH_TASK_SIZE || (m.start[i] < r->area + REBORN_AREA && m.end[i] > r->area))
			return fail(EIMAGE, "run of pages at %" PRIx64 ": an absurd place", m.start[i]);
		if (otherwise)
			err = drop_otherwise(r, &p, m.start[i], m.end[i]);
		else
			program_call(&p, OP_MUST, SYS_madvise, (long)m.start[i], (long)(m.end[i] - m.start[i]),
				     rec->type == RECORD_GUARD ? MADV_GUARD_INSTALL : MADV_DONTNEED);
		if (err)
			return err;
	}
	return reborn_run(r, r->pid, &p, DROPPING);
}

/* All of it is filled: it gets its protection, and what else had to wait for that. */
static int finish(struct restore *r, struct memory *m)
{
	static const char what[] = "protecting its memory";
	struct program p;
	struct mapped v;
	int err = IS_ON_COPY_BEHIND ? fill_wait(r, m->lots) : 0;

	reborn_program(r, &p);
	if (IS_ON_INSTALL_PAGES)
		install_end(m, &p);
	for (struct mapped_at at = { 0 }; !err && mapped_next(m, &at, &v);) {
		long start = (long)v.start, len = (long)(v.end - v.start);

		if (v.kind == VmaKind_VDSO)
			continue;
		err = reborn_room(r, m->pid, &p, 7, VMA_LABEL, what);
		if (v.locked)	/* while it may be written to: Linux 5.10 takes offence at what may not, having locked it */
			program_call(&p, v.untouched ? 0 : OP_MUST, SYS_mlock2, start, len, MLOCK_ONFAULT);
		if (!v.shared && (v.prot & (PROT_WRITE | PROT_EXEC)) != PROT_WRITE)
			program_call(&p, OP_MUST, SYS_mprotect, start, len, v.prot);
		/* fails where there can be no memory, as below a stack; mlockall(2), which has locked that, does not tell */
		if (v.locked && !v.onfault)
			program_call(&p, 0, SYS_mlock2, start, len, 0);
		if (v.dontdump)
			program_call(&p, OP_MUST, SYS_madvise, start, len, MADV_DONTDUMP);
		if (v.mergeable)
			program_call(&p, 0, SYS_madvise, start, len, MADV_MERGEABLE);
		if (v.advice)
			program_call(&p, OP_MUST, SYS_madvise, start, len, v.advice);
		add_label(r, m, &p, &v);
	}
	if (!err)
		err = reborn_run(r, m->pid, &p, what);
	m->pid = 0;
	m->end = m->own.len = 0;
	m->filled = (struct filled){ 0 };
	ranges_clear(&m->mapped);
	m->labels.len = m->labels.len != 0;	/* that the tree has names at all is remembered */
	return err;
}

enum { WAITING_MAX = 64 * 1024 };	/* bytes of a list that is kept beside the next process's */

int remap_end(struct restore *r)
{
	struct memory *m = &r->memory, *aside = &r->aside, free;
	int err = aside->pid ? finish(r, aside) : 0;

	if (err || !m->end)
		return err;
	m->pid = r->pid;
	if (!IS_ON_COPY_BEHIND || !r->filler || m->mapped.bytes.len > WAITING_MAX)
		return finish(r, m);
	m->lots = fill_lots(r);
	free = *aside;
	*aside = *m;
	*m = free;
	m->uffd = m->uffd_there = -1;
	if (aside->labels.len && !m->labels.len && buffer_append(&m->labels, "", 1))
		return fail(ENOMEM, "out of memory");
	return 0;
}

int remap_finish(struct restore *r)
{
	int err = remap_end(r);

	return !err && r->aside.pid ? finish(r, &r->aside) : err;
}
