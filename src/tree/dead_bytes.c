/* SPDX-License-Identifier: MIT */
#include "tree/dead_bytes.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/log.h"
#include "kernel/procfs.h"
#include "kernel/task_memory.h"

/*
 * Dead bytes: the tail of the vDSO's last page behind what is used of its ELF image, else that of ARM's [sigpage], which begins with a few
 * instructions, or the zero tail of the last page of another executable mapping, which may have to be read from its file for
 * that; else that of a program's segment, behind which its file goes on, as small static ones do.
 */
struct dead_search {
	pid_t pid;
	uint64_t vdso, vdso_end;
	uint64_t found;
};

/* Behind it are only the section headers, which no program uses: where the kernel has few functions there, they have to serve. */
static uint64_t elf_end(const uint8_t *header)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;

	memcpy(&e64, header, sizeof(e64));
	if (e64.e_ident[EI_CLASS] == ELFCLASS64)
		return e64.e_shoff;
	memcpy(&e32, header, sizeof(e32));
	return e32.e_shoff;
}

static uint64_t behind_vdso(const struct dead_search *s)
{
	uint8_t header[sizeof(Elf64_Ehdr)];
	uint64_t end = 0;

	if (s->vdso && !task_read(s->pid, header, s->vdso, sizeof(header)))
		end = elf_end(header);
	if (!end || end >= s->vdso_end - s->vdso || s->vdso + ((end + 15) & ~15ULL) > s->vdso_end - DEAD_BYTES)
		return 0;
	return s->vdso_end - DEAD_BYTES;
}

static int search_vdso(void *arg, struct vma *v)
{
	struct dead_search *s = arg;

	if (strcmp(v->name, "[vdso]"))
		return 0;
	s->vdso = v->start;
	s->vdso_end = v->end;
	return 1;
}

static int search_tail(void *arg, struct vma *v)
{
	struct dead_search *s = arg;
	uint8_t tail[DEAD_BYTES];
	uint64_t at = v->end - sizeof(tail);

	if (!strcmp(v->name, "[vdso]") || !(v->prot & PROT_EXEC) || v->shared || v->end > ARCH_TASK_SIZE ||
	    task_read(s->pid, tail, at, sizeof(tail)))
		return 0;
	for (size_t i = 0; i < sizeof(tail) && strcmp(v->name, "[sigpage]"); i++)
		if (tail[i])
			return 0;
	s->found = at;
	return 1;
}

struct elf_search {
	pid_t pid;
	uint64_t len, align;
	uint64_t pc, taken;	/* 0: anywhere, nowhere */
	uint64_t found;
	struct vma first;	/* the mapping of the beginning of a file, seen last */
};

static bool serves(struct elf_search *s, uint64_t from, uint64_t end)
{
	from = (from + s->align - 1) & ~(s->align - 1);
	if (s->taken >= from && s->taken < end)
		from = s->taken + s->len;
	if (from + s->len > end || (s->pc && (!dead_bytes_reach(from, s->pc) || !dead_bytes_reach(from + s->len, s->pc))))
		return false;
	s->found = from;
	return true;
}

/*
 * What no program uses of an executable mapping of its ELF file: the rest of the last page behind the segment, which shows
 * what comes next in the file; and in the program headers that matter only while a program is loaded, PT_GNU_STACK and
 * PT_GNU_RELRO, the fields behind type and flags.
 */
static int search_elf(void *arg, struct vma *v)
{
	struct elf_search *s = arg;
	Elf64_Ehdr e;
	Elf64_Phdr p;
	uint64_t bias = 0;

	if (v->name[0] != '/' || v->shared)
		return 0;
	if (!v->pgoff)
		s->first = *v;
	if (!(v->prot & PROT_EXEC) || v->ino != s->first.ino || v->dev != s->first.dev ||
	    task_read(s->pid, &e, s->first.start, sizeof(e)) || memcmp(e.e_ident, ELFMAG, SELFMAG) ||
	    e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_phentsize != sizeof(p))
		return 0;
	for (unsigned int i = 0; i < e.e_phnum && i < 64; i++) {
		const uint64_t at = s->first.start + e.e_phoff + i * sizeof(p);

		if (task_read(s->pid, &p, at, sizeof(p)))
			return 0;
		if (p.p_type == PT_LOAD && !p.p_offset)
			bias = s->first.start - p.p_vaddr;
		if (p.p_type == PT_LOAD && bias + p.p_vaddr + p.p_memsz > v->start && bias + p.p_vaddr + p.p_memsz <= v->end &&
		    serves(s, bias + p.p_vaddr + p.p_memsz, v->end))
			return 1;
		if ((p.p_type == PT_GNU_STACK || p.p_type == PT_GNU_RELRO) && !v->pgoff && at + sizeof(p) <= v->end &&
		    serves(s, at + offsetof(Elf64_Phdr, p_offset), at + sizeof(p)))
			return 1;
	}
	return 0;
}

/* Before them room for two last jumps, which near_bytes() may find in the same place. */
enum { JUMPS = (2 * ARCH_NEAR_MAX + 15) & ~15 };

int dead_bytes(const struct process *p, uint64_t *at)
{
	struct dead_search s = { .pid = p->tid, .vdso = p->vdso, .vdso_end = p->vdso_end };
	struct elf_search elf = { .pid = p->tid, .len = JUMPS + DEAD_BYTES, .align = 16 };
	int err;

	if (DEAD_BYTES_FAR && !s.vdso)	/* whether they are far is asked before its memory was looked at */
		(void)proc_vmas(p->tid, false, search_vdso, &s);
	s.found = behind_vdso(&s);
	err = s.found ? 0 : proc_vmas(p->tid, false, search_tail, &s);

	if (err >= 0 && !s.found) {
		err = proc_vmas(p->tid, false, search_elf, &elf);
		s.found = elf.found ? elf.found + JUMPS : 0;
	}
	if (err < 0)
		return fail_for(err, "its mappings");
	if (!s.found)
		return fail(EHOLDS, "no dead bytes in its executable mappings to enter by");
	*at = s.found;
	return 0;
}

bool near_bytes(const struct process *p, uint64_t pc, uint64_t taken, uint64_t *at)
{
	struct elf_search s = { .pid = p->tid, .len = ARCH_NEAR_MAX, .align = 8, .pc = pc, .taken = taken };

	*at = proc_vmas(p->tid, false, search_elf, &s) > 0 ? s.found : 0;
	return *at;
}
