/* SPDX-License-Identifier: MIT */
#include "tree/dead_bytes.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/log.h"
#include "kernel/procfs.h"
#include "kernel/ptrace.h"

/*
 * Dead bytes: the tail of the vDSO's last page behind its ELF image, else the zero tail of the last page of another
 * executable mapping, which may have to be read from its file for that.
 */
struct dead_search {
	pid_t pid;
	size_t len;		/* so many are wanted */
	uint64_t pc;		/* near to there; 0: anywhere */
	uint64_t found;
};

static uint64_t elf_end(const uint8_t *header)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;

	memcpy(&e64, header, sizeof(e64));
	if (e64.e_ident[EI_CLASS] == ELFCLASS64)
		return e64.e_shoff + (uint64_t)e64.e_shnum * e64.e_shentsize;
	memcpy(&e32, header, sizeof(e32));
	return e32.e_shoff + (uint64_t)e32.e_shnum * e32.e_shentsize;
}

static uint64_t behind_vdso(const struct process *p)
{
	uint8_t header[sizeof(Elf64_Ehdr)];
	uint64_t end = 0;

	if (p->vdso && !task_read(p->pid, header, p->vdso, sizeof(header)))
		end = elf_end(header);
	if (!end || end >= p->vdso_end - p->vdso || p->vdso + ((end + 15) & ~15ULL) > p->vdso_end - DEAD_BYTES)
		return 0;
	return p->vdso_end - DEAD_BYTES;
}

static int search_tail(void *arg, struct vma *v)
{
	struct dead_search *s = arg;
	uint8_t tail[DEAD_BYTES];
	uint64_t at = v->end - s->len;

	if ((s->pc && !dead_bytes_reach(at, s->pc)) || !strcmp(v->name, "[vdso]") || !(v->prot & PROT_EXEC) || v->shared ||
	    v->end > ARCH_TASK_SIZE || task_read(s->pid, tail, at, s->len))
		return 0;
	for (size_t i = 0; i < s->len; i++)
		if (tail[i])
			return 0;
	s->found = at;
	return 1;
}

static int search(struct dead_search *s)
{
	int err = s->found ? 0 : proc_vmas(s->pid, false, search_tail, s);

	return err < 0 ? fail(err, "its mappings: %s", strerror(-err)) : 0;
}

int dead_bytes(const struct process *p, uint64_t *at)
{
	struct dead_search s = { .pid = p->pid, .len = DEAD_BYTES, .found = behind_vdso(p) };
	int err = search(&s);

	if (!err && !s.found)
		err = fail(EHOLDS, "no dead bytes in any of its executable mappings to enter by");
	*at = s.found;
	return err;
}

int near_bytes(const struct process *p, uint64_t pc, uint64_t *at)
{
	struct dead_search s = { .pid = p->pid, .len = NEAR_BYTES, .pc = pc };
	int err = search(&s);

	if (!err && !s.found)
		err = fail(EHOLDS, "no dead bytes near %#llx, where a thread stands, to come back by", (unsigned long long)pc);
	*at = s.found;
	return err;
}
