// SPDX-License-Identifier: MIT
#include "sizes.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// Bits of /proc/PID/pagemap, see Documentation/admin-guide/mm/pagemap.rst.
#define PRESENT (1ULL << 63)
#define SWAPPED (1ULL << 62)
#define OF_FILE (1ULL << 61)

static bool all_zero(const uint64_t *words, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		if (words[i])
			return false;
	return true;
}

size_t page_bytes(pid_t pid)
{
	static uint64_t page[64 << 7];
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE), bytes = 0;
	unsigned long start, end;
	char path[64], line[512];
	int pagemap, mem;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && page_size <= sizeof(page) && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		for (unsigned long at = start; at < end; at += page_size) {
			uint64_t entry;

			if (pread(pagemap, &entry, sizeof(entry), (off_t)(at / page_size * sizeof(entry))) !=
			    sizeof(entry))
				break;
			if ((entry & (PRESENT | SWAPPED)) && !(entry & OF_FILE) &&
			    pread(mem, page, page_size, (off_t)at) == (ssize_t)page_size &&
			    !all_zero(page, page_size))
				bytes += page_size;
		}
	}
	if (maps)
		fclose(maps);
	close(mem);
	close(pagemap);
	return bytes;
}

size_t file_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (size_t)st.st_size;
}
