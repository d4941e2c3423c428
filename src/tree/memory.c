/* SPDX-License-Identifier: MIT */
#include "tree/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "image/crc32c.h"
#include "kernel/abi.h"
#include "kernel/task_memory.h"
#include "objects/embed.h"
#include "tree/dead_bytes.h"
#include "tree/openings.h"
#include "tree/overlay.h"
#include "tree/pages.h"
#include "tree/records.h"
#include "tree/vdso.h"
#include "vma.pb.h"

const char *memory_refusal(const struct vma *v)
{
	if (sizeof(void *) < sizeof(v->end) && v->end > ARCH_TASK_SIZE)
		return "beyond the addresses of this tinyckpt, which is for 32-bit programs";
	if (v->uffd)
		return "userfaultfd is registered on it";
	if (v->shadow_stack)
		return "a shadow stack";
	if (ARCH_PROT_TAGS && !ARCH_TAGS && v->mte)
		return "it has tags, and this tinyckpt was built without CONFIG_MTE";
	if (ARCH_TAGS && v->mte && (v->shared ? !(v->prot & PROT_WRITE) : v->name[0] == '/'))
		return "it has tags (PROT_MTE), and may not be written, or is a file's";
	if (v->io && !vma_is_kernels_own(v))
		return "memory of a device";
	/* Key 1 on what may be executed only is the kernel's own doing, and comes back by itself. */
	if (v->pkey && (v->pkey > 1 || v->prot != PROT_EXEC))
		return "it has a protection key";
	if (!strncmp(v->name, "/SYSV", 5))
		return "System V shared memory";
	if (!strncmp(v->name, "/memfd:", 7) && !(IS_ON_EMBED && embed_is_memory(v->name)))
		return "a memfd";
	if (!strcmp(v->name, "/[aio]"))
		return "an aio context";
	if (!strncmp(v->name, "anon_inode:", 11))
		return "a mapping of a kernel object";
	if (v->hugetlb && v->name[0] == '/' && strncmp(v->name, "/anon_hugepage", 14))
		return "a file of huge pages (hugetlbfs)";
	return NULL;
}

enum { GAP_MIN = 4 << 20 };	/* what the tool needs in every process; between what is busy, less need not be known */

static int add_range(struct buffer *list, uint64_t start, uint64_t end)
{
	struct address_range *r = (struct address_range *)(void *)list->data, new = { start, end };
	size_t n = list->len / sizeof(*r), at = n;

	while (at && r[at - 1].start > start)
		at--;
	if (at && r[at - 1].end + GAP_MIN > start) {
		if (r[at - 1].end < end)
			r[at - 1].end = end;
		return 0;
	}
	if (buffer_append(list, &new, sizeof(new)))
		return fail(ENOMEM, "out of memory");
	r = (struct address_range *)(void *)list->data;
	memmove(&r[at + 1], &r[at], (n - at) * sizeof(*r));
	r[at] = new;
	return 0;
}

static bool check_refusal(struct save *s, const struct vma *v)
{
	const char *why = memory_refusal(v);

	if (why)
		obstacle(s, "mapping %" PRIx64 "-%" PRIx64 " (%s): %s: not supported", v->start, v->end, v->name, why);
	return why != NULL;
}

struct parent_vma {	/* as struct ranges wants it */
	uint64_t start, end, pgoff, dev, ino, mte;
};

/* Whose mappings are being looked at. */
struct mapping {
	struct save *s;
	struct process *process;
	uint64_t data_end;	/* of the vDSO's data, whose code follows next; 0: that has come, or none */
	struct ranges_at at;
	struct parent_vma parents;	/* the first one of the parent's that does not end before what is looked at */
};

/* A restore has the vDSO's data and code only together: what has unmapped one of them. */
static void check_vdso(struct mapping *m, const struct vma *v)
{
	const bool data = !strncmp(v->name, "[vvar", 5), code = !strcmp(v->name, "[vdso]");

	if (m->data_end ? !(data || code) || v->start != m->data_end : code)
		obstacle(m->s, "its vDSO is not whole any more: not supported");
	m->data_end = data ? v->end : 0;
}

static int check_vma(void *arg, struct vma *v)
{
	struct mapping *m = arg;

	if (vma_is_everywhere(v))
		return 0;
	check_refusal(m->s, v);
	check_vdso(m, v);
	if (IS_ON_VDSO_PROXY)
		vdso_see(m->process, v);
	if (IS_ON_OVERLAY) {
		int err = overlay_check(m->s, m->process, v);

		if (err)
			return err;
	}
	return add_range(&m->s->busy, v->start, v->end);
}

int memory_check(struct save *s, struct process *p)
{
	static struct vma behind_all;	/* not const: it is large, and this costs no bytes in the file */
	struct mapping m = { .s = s, .process = p };
	/* flags take smaps, which walks all pages: a save sees them anyhow, in save_vma(), before anything is touched */
	int err = proc_vmas(p->tid, s->checking, check_vma, &m);

	if (err == -ESRCH && s->checking)
		return 0;
	if (err >= 0)
		check_vdso(&m, &behind_all);
	return err < 0 && err != -ENOMEM ? fail_for(err, "its mappings") : err;
}

int memory_gap(struct save *s)
{
	const struct address_range *r = (const struct address_range *)(void *)s->busy.data;
	size_t n = s->busy.len / sizeof(*r);
	uint64_t from = 0x10000, best = 0;

	/* not above the last one, a stack: how far addresses go there nobody tells */
	for (size_t i = 0; i < n; i++) {
		uint64_t to = r[i].start;

		if (to > from && to - from > best) {
			best = to - from;
			s->gap = (struct address_range){ from, to };
		}
		if (r[i].end > from)
			from = r[i].end;
	}
	if (best < GAP_MIN)
		return fail(ENOMEM, "no 4 MiB of addresses are free in every process");
	return 0;
}

static int note_parent_vma(void *arg, struct vma *v)
{
	struct save *s = arg;
	struct parent_vma pv = { v->start, v->end, v->pgoff, v->dev, v->ino, v->mte };

	if (v->shared || v->hugetlb || vma_is_kernels_own(v) || vma_is_everywhere(v))
		return 0;
	return ranges_add(&s->parent.vmas, &pv, sizeof(pv));
}

/*
 * Not where every page that it has is its own: then it comes back faster by itself.  Nor where a guard region may have come or gone
 * since the fork.
 */
static bool is_inherited(struct mapping *p, const struct vma *v)
{
	const struct parent_vma *pv = &p->parents;

	if (v->shared || v->hugetlb || v->guard || (v->anonymous && !v->shared_resident && !v->swapped))
		return false;
	while (pv->end < v->end)
		if (!ranges_next(&p->s->parent.vmas, &p->at, &p->parents, sizeof(p->parents)))
			return false;
	return pv->start <= v->start && pv->dev == v->dev && pv->ino == v->ino && pv->mte <= v->mte &&
	       (!v->ino || pv->pgoff + (v->start - pv->start) == v->pgoff);
}

/* Code of the kernel's: its checksum, and it itself, in case that another kernel brings the tree back. */
static int save_text(struct mapping *p, Vma *m, size_t *body)
{
	uint8_t *text = image_body(&p->s->image);
	const size_t len = m->end - m->start;
	int err;

	if (len > BODY_MAX || len <= DEAD_BYTES)
		return 0;
	err = task_read(p->process->tid, text, m->start, len);
	if (err)
		return fail_for(err, "reading its vDSO");
	/* the ELF image alone: what lies behind it may have served as dead bytes */
	if (!m->crc)
		m->crc = crc32c(0, text, len - DEAD_BYTES);
	return IS_ON_VDSO_PROXY && strcmp(m->name, "[sigpage]") ? vdso_number(p->s, text, len, &m->text, body) : 0;
}

static int save_own(struct mapping *p, const struct vma *v, Vma *m, size_t *body)
{
	m->kind = VmaKind_VDSO;
	snprintf(m->name, sizeof(m->name), "%.20s", v->name);
	if (IS_ON_VDSO_PROXY)
		m->spare = p->process->stand_in.n && strcmp(v->name, "[sigpage]");
	if (!strcmp(v->name, "[vdso]")) {
		p->process->vdso = v->start;
		p->process->vdso_end = v->end;
	} else if (!IS_ON_VDSO_PROXY || strcmp(v->name, "[sigpage]")) {
		return 0;
	}
	return save_text(p, m, body);
}

/* What it stands for, as if that were there. */
static int save_stand_in(struct mapping *p, const struct stand_in *stand_in)
{
	int err = 0;

	for (size_t i = 0; !err && i < stand_in->n; i++) {
		Vma m = { .start = stand_in->was[i].start, .end = stand_in->was[i].end, .prot = PROT_READ, .kind = VmaKind_VDSO };
		size_t body = 0;

		m.spare = stand_in->spare;
		memcpy(m.name, stand_in->was[i].name, sizeof(stand_in->was[i].name));
		if (i + 1 == stand_in->n) {
			m.prot |= PROT_EXEC;
			m.crc = stand_in->crc;
			err = save_text(p, &m, &body);
		}
		if (!err)
			err = SAVE_RECORD(p->s, RECORD_VMA, Vma_fields, &m, image_body(&p->s->image), body);
	}
	return err;
}

static int late(struct mapping *p, const struct vma *v, uint32_t advice)
{
	struct late_advice l = { p->process->pid, v->start, v->end, advice };

	return buffer_append(&p->s->late, &l, sizeof(l)) ? fail(ENOMEM, "out of memory") : 0;
}

/* Has it pages that are no file's, or what stands in their place? */
static bool has_own_pages(const struct vma *v)
{
	if (v->droppable)	/* it is: random numbers to come, which the vDSO keeps there, are not to come twice */
		return false;
	return v->guard || (v->shared ? v->mte : v->anonymous || v->swapped || v->hugetlb);
}

static int save_mapping(struct mapping *p, const struct vma *v)
{
	const bool has_own = has_own_pages(v);
	Vma m = {
		.start = v->start,
		.end = v->end,
		.prot = (uint32_t)v->prot | v->bti * (uint32_t)ARCH_PROT_BTI | v->mte * (uint32_t)ARCH_PROT_TAGS,
		.shared = v->shared,
		.pgoff = v->pgoff,
		.grows_down = v->grows_down,
		.locked = v->locked,
		.onfault = v->onfault,
		.hugepage = v->thp,
		.nohugepage = v->nothp,
		.huge = v->hugetlb ? v->kernel_page : 0,
		.noreserve = v->noreserve,
		.dontdump = v->dontdump && !v->io,
		.mergeable = v->mergeable,
		.droppable = v->droppable,
		.untouched = !has_own,
		.advice = v->random ? MADV_RANDOM : v->sequential ? MADV_SEQUENTIAL : 0,
	};
	struct area a = {
		.start = v->start, .end = v->end, .pgoff = v->pgoff, .anonymous = true,
		.by_mem = !(v->prot & PROT_READ) || v->shared_resident, .tags = v->mte, .shared = v->shared,
	};
	size_t body = 0;
	int err = 0;

	memcpy(m.name, v->label, sizeof(v->label));
	if (vma_is_kernels_own(v))
		err = save_own(p, v, &m, &body);
	else if (v->name[0] == '/' && (v->shared || !v->hugetlb)) {
		m.kind = VmaKind_FILE_BACKED;
		m.file = openings_mapped(p->s, v);
		a.anonymous = false;
		if (!m.file)
			return fail(EIO, "mapping %" PRIx64 "-%" PRIx64 ": %s: its file was not seen", v->start, v->end, v->name);
	} else {
		m.pgoff = 0;
	}
	if (!err && m.kind != VmaKind_VDSO) {
		m.inherited = !m.untouched && is_inherited(p, v);
		a.inherited = m.inherited;
		if (v->dontcopy)
			err = late(p, v, MADV_DONTFORK);
		if (!err && v->wipeonfork)
			err = late(p, v, MADV_WIPEONFORK);
		if (!err && v->sealed)
			err = late(p, v, ADVICE_SEAL);
		if (!err && (has_own || a.inherited) &&
		    ranges_add(&p->s->areas, &a, sizeof(a)))
			err = fail(ENOMEM, "out of memory");
	}
	return err ? err : SAVE_RECORD(p->s, RECORD_VMA, Vma_fields, &m, image_body(&p->s->image), body);
}

static int save_vma(void *arg, struct vma *v)
{
	struct mapping *p = arg;
	struct stand_in stand_in;

	if (vma_is_everywhere(v))
		return 0;
	if (check_refusal(p->s, v))
		return -EHOLDS;
	/* Two that touch each other the kernel may have made one. */
	while (IS_ON_VDSO_PROXY && vdso_stands_in(p->process, v, &stand_in)) {
		int err = save_stand_in(p, &stand_in);

		v->start = stand_in.was[stand_in.n - 1].end;
		if (err || v->start == v->end)
			return err;
	}
	return save_mapping(p, v);
}

void memory_forget_parent(struct save *s)
{
	if (s->parent.pid)
		close(s->parent.pagemap);
	s->parent.pid = 0;
	ranges_clear(&s->parent.vmas);
}

static int learn_parent(struct save *s, const struct process *process)
{
	const struct process *parent = process->parent < 0 || process->stranger ? NULL : &s->tree.processes[process->parent];
	int err;

	if (parent && parent->pid == s->parent.pid)
		return 0;
	memory_forget_parent(s);
	if (!parent || parent->zombie)
		return 0;
	s->parent.pagemap = pagemap_open(parent->tid);
	if (s->parent.pagemap < 0)
		return s->parent.pagemap;
	s->parent.pid = parent->pid;
	err = proc_vmas(parent->tid, false, note_parent_vma, s);
	return err < 0 ? fail_for(err, "the mappings of its parent") : 0;
}

int memory_save(struct save *s, struct process *process)
{
	struct mapping m = { .s = s, .process = process };
	int err = learn_parent(s, process);

	ranges_clear(&s->areas);
	if (!err)
		err = proc_vmas(process->tid, true, save_vma, &m);
	return err ? err : pages_save(s, process);
}
