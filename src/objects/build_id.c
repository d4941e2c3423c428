/* SPDX-License-Identifier: MIT */
/* The build-id of an ELF file, of whatever machine's it is: a note that the linker makes from all that it puts in. */
#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "objects/content.h"

/* A segment of notes.  The fields of both classes' headers have other places, and some other sizes. */
struct notes {
	uint64_t offset, size;
};

enum { SEGMENTS_MAX = 64, NOTES_MAX = 4096 };

static bool find_notes(int fd, unsigned int n, struct notes *notes)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} e;
	union {
		Elf32_Phdr narrow;
		Elf64_Phdr wide;
	} p;

	if (pread_all(fd, &e, sizeof(e), 0) || memcmp(e.ident, ELFMAG, SELFMAG))
		return false;
	for (unsigned int i = 0; i < SEGMENTS_MAX; i++) {
		const bool wide = e.ident[EI_CLASS] == ELFCLASS64;
		const size_t size = wide ? sizeof(p.wide) : sizeof(p.narrow);

		if (i >= (wide ? e.wide.e_phnum : e.narrow.e_phnum) ||
		    pread_all(fd, &p, size, (wide ? e.wide.e_phoff : e.narrow.e_phoff) + i * size))
			return false;
		if ((wide ? p.wide.p_type : p.narrow.p_type) != PT_NOTE || n--)
			continue;
		*notes = wide ? (struct notes){ p.wide.p_offset, p.wide.p_filesz }
			      : (struct notes){ p.narrow.p_offset, p.narrow.p_filesz };
		return true;
	}
	return false;
}

/* Names and descriptions are padded to four bytes; where a segment pads to eight, its descriptions have such lengths anyhow. */
static bool find_build_id(const uint8_t *notes, size_t len, Content_build_id_t *id)
{
	Elf64_Nhdr n;	/* the same as Elf32_Nhdr */

	for (size_t at = 0; len - at >= sizeof(n);) {
		size_t name, end;

		memcpy(&n, notes + at, sizeof(n));
		at += sizeof(n);
		if (n.n_namesz > NOTES_MAX || n.n_descsz > NOTES_MAX)
			return false;
		name = (n.n_namesz + 3U) & ~3U;
		end = name + ((n.n_descsz + 3U) & ~3U);
		if (end > len - at)
			return false;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(notes + at, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU))) {
			if (n.n_descsz > sizeof(id->bytes))
				return false;
			memcpy(id->bytes, notes + at + name, n.n_descsz);
			id->size = (pb_size_t)n.n_descsz;
			return true;
		}
		at += end;
	}
	return false;
}

void build_id_read(int fd, Content_build_id_t *id)
{
	uint8_t bytes[NOTES_MAX];
	struct notes notes;

	for (unsigned int n = 0; find_notes(fd, n, &notes); n++)
		if (notes.size <= sizeof(bytes) && !pread_all(fd, bytes, (size_t)notes.size, notes.offset) &&
		    find_build_id(bytes, (size_t)notes.size, id))
			return;
}

const char *build_id_text(const Content_build_id_t *id, char text[BUILD_ID_TEXT])
{
	snprintf(text, BUILD_ID_TEXT, "none");
	for (unsigned int i = 0; i < id->size; i++)
		snprintf(text + 2 * i, 3, "%02x", id->bytes[i]);
	return text;
}
