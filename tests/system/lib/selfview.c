/* SPDX-License-Identifier: MIT */
#include "selfview.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t file_content(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got;

	while (fd >= 0 && length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
		length += got;
	if (fd >= 0)
		close(fd);
	text[length] = '\0';
	return length;
}

void status_lines(pid_t pid, const char *prefix, char *text, size_t size)
{
	char path[64], all[8192], *state = NULL;
	size_t used = 0;

	if (pid)
		snprintf(path, sizeof path, "/proc/%d/status", pid);
	else
		snprintf(path, sizeof path, "/proc/%d/task/%d/status", getpid(), gettid());
	file_content(path, all, sizeof all);
	text[0] = '\0';
	for (char *line = strtok_r(all, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (strncmp(line, prefix, strlen(prefix)) == 0 && used < size)
			used += snprintf(text + used, size - used, "%s; ", line);
}

/* The line of the mapping's smaps entry that begins with name, behind the colon; false when there is none. */
static bool smaps_line(const void *address, const char *name, char *value, size_t size)
{
	char line[1024];
	bool inside = false, found = false;
	FILE *file = fopen("/proc/self/smaps", "re");

	while (file && !found && fgets(line, sizeof line, file)) {
		unsigned long start, end;
		size_t length = strlen(name);

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)address >= start && (uintptr_t)address < end;
		if (inside && strncmp(line, name, length) == 0 && line[length] == ':') {
			snprintf(value, size, " %s", line + length + 1);
			value[strcspn(value, "\n")] = '\0';
			found = true;
		}
	}
	if (file)
		fclose(file);
	return found;
}

void mapping_flags(const void *address, char *flags, size_t size)
{
	if (!smaps_line(address, "VmFlags", flags, size))
		flags[0] = '\0';
}

long mapping_value(const void *address, const char *name)
{
	char value[256];

	return smaps_line(address, name, value, sizeof value) ? atol(value) : -1;
}

long process_value(pid_t pid, const char *name)
{
	char path[64], line[1024];
	size_t length = strlen(name);
	long sum = 0;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	FILE *file = fopen(path, "re");

	if (!file) {
		snprintf(path, sizeof path, "/proc/%d/smaps", pid);
		file = fopen(path, "re");
	}
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			sum += atol(line + length + 1);
	if (file)
		fclose(file);
	return sum;
}

static const char *stat_at(pid_t pid, int field, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	file_content(path, text, size);
	const char *at = strrchr(text, ')');

	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? at + 1 : "";
}

unsigned long stat_value(pid_t pid, int field)
{
	char text[2048];

	return strtoul(stat_at(pid, field, text, sizeof text), NULL, 10);
}

char task_state(pid_t tid)
{
	char text[2048];

	return stat_at(tid, 3, text, sizeof text)[0];
}
