/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "snapshot.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mapping {
	unsigned long from, to;
	char rights[8], name[256];
};

static void write_mapping(FILE *f, pid_t pid, const struct mapping *m)
{
	if (m->to)
		fprintf(f, "%d map %lx-%lx %s %s\n", pid, m->from, m->to, m->rights, m->name);
}

/* Neighbours of one kind are one: the kernel itself merges them or not, by what it remembers of them. */
static void write_mappings(FILE *f, pid_t pid)
{
	struct mapping m = { 0 }, next;
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		*next.name = 0;
		sscanf(line, "%lx-%lx %7s %*s %*s %*s %255[^\n]", &next.from, &next.to, next.rights, next.name);
		if (next.from == m.to && !strcmp(next.rights, m.rights) && !strcmp(next.name, m.name)) {
			m.to = next.to;
			continue;
		}
		write_mapping(f, pid, &m);
		m = next;
	}
	write_mapping(f, pid, &m);
	if (maps)
		fclose(maps);
}

/* Inode numbers of pipes are another's after a restore; everything else in a name is the workload's own. */
static void write_descriptors(FILE *f, pid_t pid)
{
	char path[64], target[512], line[128], flags[32];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		FILE *info;
		ssize_t n;

		if (*e->d_name == '.')
			continue;
		n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = 0;
		if (!strncmp(target, "pipe:", 5))
			strcpy(target, "pipe");
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.12s", pid, e->d_name);
		*flags = 0;
		info = fopen(path, "re");
		while (info && fgets(line, sizeof(line), info))
			sscanf(line, "flags: %31s", flags);
		if (info)
			fclose(info);
		fprintf(f, "%d fd %s %s %s\n", pid, e->d_name, flags, target);
	}
	if (dir)
		closedir(dir);
}

static void write_limits(FILE *f, pid_t pid)
{
	static const char *const whole[] = { "limits", "oom_score_adj", "personality", "coredump_filter", "timerslack_ns" };
	char path[64], line[256];

	for (unsigned i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		FILE *in;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, whole[i]);
		in = fopen(path, "re");
		while (in && fgets(line, sizeof(line), in))
			fprintf(f, "%d %s %s", pid, whole[i], line);
		if (in)
			fclose(in);
	}
}

static bool worth_keeping(const char *line)
{
	static const char *const keys[] = { "Name",   "Umask",	"TracerPid", "Uid",    "Gid",	 "Groups",     "Threads",
					    "SigIgn", "SigCgt",    "CapInh", "CapPrm", "CapEff",     "CapBnd",
					    "CapAmb", "NoNewPrivs", "Seccomp", "THP_enabled", "Cpus_allowed" };
	size_t n = strcspn(line, ":");

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strlen(keys[i]) == n && !strncmp(line, keys[i], n))
			return true;
	return false;
}

static bool write_threads(FILE *f, pid_t pid)
{
	char path[64], line[512];
	struct dirent *e;
	bool any = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		FILE *status;

		if (!isdigit((unsigned char)*e->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.12s/status", pid, e->d_name);
		status = fopen(path, "re");
		while (status && fgets(line, sizeof(line), status))
			if (worth_keeping(line))
				fprintf(f, "%d thread %s %s", pid, e->d_name, line);
		if (status)
			fclose(status);
		any = true;
	}
	if (dir)
		closedir(dir);
	return any;
}

bool snapshot_write(FILE *f, pid_t pid)
{
	write_mappings(f, pid);
	write_descriptors(f, pid);
	write_limits(f, pid);
	return write_threads(f, pid);
}

static char *read_whole(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (f && getdelim(&text, &size, 0, f) < 0) {
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

static char *take_now(const char *before)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	pid_t last = 0;

	for (const char *p = before; f && p && *p; p = strchr(p, '\n'), p = p ? p + 1 : p)
		if (atoi(p) != last) {
			last = atoi(p);
			snapshot_write(f, last);
		}
	if (f)
		fclose(f);
	return text;
}

static void tell_missing(const char *mark, const char *lines, const char *from)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n") + 1;
		char *line = strndup(lines, n);

		if (line && !strstr(from, line))
			printf("%s %s", mark, line);
		free(line);
		lines += n;
	}
}

bool snapshot_compare(const char *path, bool tell)
{
	char *before = read_whole(path), *now = before ? take_now(before) : NULL;
	bool same = before && now && !strcmp(before, now);

	if (!same && tell && before && now) {
		tell_missing("was:", before, now);
		tell_missing("now:", now, before);
	}
	free(before);
	free(now);
	return same;
}
