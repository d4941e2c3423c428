/* SPDX-License-Identifier: MIT */
#include "tree/vdso_functions.h"

#include <link.h>
#include <string.h>

#include "arch.h"

static const char *base_name(const char *name)
{
	static const char *const prefixes[] = { "__vdso_", "__kernel_" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	return name;
}

/* How much less than its address in the file a symbol's value may be: where the image was linked to be. */
static uint64_t link_base(const uint8_t *text, size_t len, const ElfW(Ehdr) *e)
{
	ElfW(Phdr) p;

	for (unsigned int i = 0; i < e->e_phnum && lies_in(len, e->e_phoff + i * sizeof(p), sizeof(p)); i++) {
		memcpy(&p, text + e->e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_LOAD)
			return p.p_vaddr - p.p_offset;
	}
	return 0;
}

int vdso_each_function(const uint8_t *text, size_t len, int (*each)(void *arg, const struct vdso_function *f), void *arg)
{
	ElfW(Ehdr) e;
	ElfW(Shdr) table = { 0 }, strings;
	ElfW(Sym) symbol;
	uint64_t base;

	if (len < sizeof(e))
		return 0;
	memcpy(&e, text, sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) || e.e_shentsize != sizeof(table))
		return 0;
	base = link_base(text, len, &e);
	for (unsigned int i = 0; i < e.e_shnum && table.sh_type != SHT_DYNSYM; i++) {
		if (!lies_in(len, e.e_shoff + i * sizeof(table), sizeof(table)))
			return 0;
		memcpy(&table, text + e.e_shoff + i * sizeof(table), sizeof(table));
	}
	if (table.sh_type != SHT_DYNSYM || table.sh_link >= e.e_shnum || !lies_in(len, table.sh_offset, table.sh_size) ||
	    !lies_in(len, e.e_shoff + table.sh_link * sizeof(strings), sizeof(strings)))
		return 0;
	memcpy(&strings, text + e.e_shoff + table.sh_link * sizeof(strings), sizeof(strings));
	if (!lies_in(len, strings.sh_offset, strings.sh_size))
		return 0;
	for (size_t i = 0; i < table.sh_size / sizeof(symbol); i++) {
		struct vdso_function f = { .call = UNKNOWN };
		const struct arch_vdso_function *known = arch_vdso_functions;
		int ret;

		memcpy(&symbol, text + table.sh_offset + i * sizeof(symbol), sizeof(symbol));
		if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE || (symbol.st_info & 0xf) > STT_FUNC ||
		    (symbol.st_info & 0xf) == STT_OBJECT || symbol.st_name >= strings.sh_size || symbol.st_value - base >= len ||
		    !memchr(text + strings.sh_offset + symbol.st_name, '\0', strings.sh_size - symbol.st_name))
			continue;
		f.name = base_name((const char *)text + strings.sh_offset + symbol.st_name);
		f.entry = symbol.st_value - base;
		f.size = symbol.st_size;
		while (known->name && strcmp(known->name, f.name))
			known++;
		if (known->name)
			f.call = known->call;
		ret = each(arg, &f);
		if (ret)
			return ret;
	}
	return 0;
}
