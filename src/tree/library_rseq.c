/* SPDX-License-Identifier: MIT */
#include "tree/library_rseq.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#include "kernel/procfs.h"
#include "kernel/task_memory.h"

enum { SEGMENTS_MAX = 32, ENTRIES_MAX = 64, SYMBOLS_MAX = 1024 };	/* a dynamic linker has some ten, thirty and forty */

struct linker {
	pid_t pid;
	uint64_t base;
	uint64_t symbols, names;
};

static uint64_t base_of_linker(pid_t pid)
{
	unsigned long auxv[128];
	const ssize_t len = proc_readf((char *)auxv, sizeof(auxv), "/proc/%d/auxv", pid);

	for (ssize_t i = 0; i + 1 < len / (ssize_t)sizeof(*auxv); i += 2)
		if (auxv[i] == AT_BASE)
			return auxv[i + 1];
	return 0;
}

/* It has relocated these itself, or has not. */
static uint64_t address(const struct linker *l, uint64_t at)
{
	return at < l->base ? l->base + at : at;
}

static bool find_symbols(struct linker *l)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;
	ElfW(Dyn) entry;
	uint64_t dynamic = 0;

	if (task_read(l->pid, &header, l->base, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) ||
	    header.e_phentsize != sizeof(segment))
		return false;
	for (int i = 0; i < header.e_phnum && i < SEGMENTS_MAX && !dynamic; i++)
		if (!task_read(l->pid, &segment, l->base + header.e_phoff + (uint64_t)i * sizeof(segment), sizeof(segment)) &&
		    segment.p_type == PT_DYNAMIC)
			dynamic = l->base + segment.p_vaddr;
	for (int i = 0; dynamic && i < ENTRIES_MAX; i++) {
		if (task_read(l->pid, &entry, dynamic + (uint64_t)i * sizeof(entry), sizeof(entry)) || entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_SYMTAB)
			l->symbols = address(l, entry.d_un.d_ptr);
		if (entry.d_tag == DT_STRTAB)
			l->names = address(l, entry.d_un.d_ptr);
	}
	return l->symbols && l->symbols < l->names;	/* as all linkers lay them out: so the first one's end is known */
}

/* The value of a variable, LEN bytes. */
static bool read_variable(const struct linker *l, const char *name, void *to, size_t len)
{
	const size_t name_len = strlen(name) + 1;
	ElfW(Sym) symbol;
	char text[32];

	for (uint64_t i = 0; i < SYMBOLS_MAX && l->symbols + (i + 1) * sizeof(symbol) <= l->names; i++)
		if (!task_read(l->pid, &symbol, l->symbols + i * sizeof(symbol), sizeof(symbol)) &&
		    !task_read(l->pid, text, l->names + symbol.st_name, name_len) && !memcmp(text, name, name_len))
			return !task_read(l->pid, to, l->base + symbol.st_value, len);
	return false;
}

uintptr_t library_rseq(struct library_rseq *l, pid_t pid, pid_t tid, const struct arch_regs *regs)
{
	struct linker linker = { .pid = pid };
	unsigned int size = 0;
	uintptr_t at;
	struct {
		uint32_t cpu_id_start;
		int32_t cpu_id;		/* negative: it is not registered */
	} area;

	if (!l->looked) {
		l->looked = true;
		linker.base = base_of_linker(pid);
		l->found = linker.base && find_symbols(&linker) &&
			   read_variable(&linker, "__rseq_offset", &l->offset, sizeof(l->offset)) &&
			   read_variable(&linker, "__rseq_size", &size, sizeof(size)) && size;
	}
	at = l->found ? arch_thread_pointer(tid, regs) : 0;
	if (!at)
		return 0;
	at += (uintptr_t)l->offset;
	return at % RSEQ_BYTES || task_read(pid, &area, at, sizeof(area)) || area.cpu_id < 0 ? 0 : at;
}
