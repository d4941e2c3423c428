/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "update.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 8 };

struct names {
	char of[FILES][NAME_MAX + 1];
	int count;
};

static bool read_names(const char *directory, struct names *names)
{
	char path[PATH_MAX];
	FILE *list;

	snprintf(path, sizeof path, "%s/update", directory);
	list = fopen(path, "re");
	names->count = 0;
	while (list && names->count < FILES && fscanf(list, "%255s", names->of[names->count]) == 1)
		names->count++;
	if (list)
		fclose(list);
	return names->count > 0;
}

static const char *path_of(const char *directory, const char *name, const char *suffix)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s%s", directory, name, suffix);
	return path;
}

static bool move(const char *from, const char *to)
{
	return rename(from, to) == 0 || errno == ENOENT;
}

static bool copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	struct stat status;
	bool good = in >= 0 && fstat(in, &status) == 0;
	int out = good ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status.st_mode & 0777) : -1;

	for (off_t left = status.st_size; good && left > 0;) {
		ssize_t sent = sendfile(out, in, NULL, left);

		good = sent > 0;
		left -= sent;
	}
	close(in);
	close(out);
	return good && out >= 0;
}

bool update_apply(const char *directory)
{
	struct names names;

	if (!read_names(directory, &names))
		return false;
	for (int i = 0; i < names.count; i++) {
		const char *name = names.of[i];

		if (rename(path_of(directory, name, ""), path_of(directory, name, ".old")) ||
		    !move(path_of(directory, name, ".new"), path_of(directory, name, "")))
			return false;
	}
	return true;
}

bool update_undo(const char *directory)
{
	struct names names;

	if (!read_names(directory, &names))
		return false;
	for (int i = 0; i < names.count; i++) {
		const char *name = names.of[i];

		if (!move(path_of(directory, name, ""), path_of(directory, name, ".new")) ||
		    !copy(path_of(directory, name, ".old"), path_of(directory, name, "")))
			return false;
	}
	return true;
}

struct mapped {
	int itself, stand_in;
	unsigned long inode;
	bool several;
};

static void look_at(pid_t pid, const char *directory, const char *name, struct mapped *m)
{
	char path[64], itself[PATH_MAX + 1], stand_in[PATH_MAX + 32], line[PATH_MAX + 128];
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	snprintf(itself, sizeof itself, "%s", path_of(directory, name, ""));
	snprintf(stand_in, sizeof stand_in, "/memfd:tinyckpt:%s (deleted)", itself);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof line, maps)) {
		const char *file = strchr(line, '/');
		unsigned long inode;

		line[strcspn(line, "\n")] = '\0';
		if (!file || sscanf(line, "%*s %*s %*s %*s %lu", &inode) != 1)
			continue;
		if (strcmp(file, itself) && strcmp(file, stand_in))
			continue;
		if (strcmp(file, itself))
			m->stand_in++;
		else
			m->itself++;
		m->several |= m->inode && m->inode != inode;
		m->inode = inode;
	}
	if (maps)
		fclose(maps);
}

bool update_mapped(const char *directory, const pid_t *tree, int count, bool stand_ins, char *text, size_t size)
{
	struct names names;

	text[0] = '\0';
	read_names(directory, &names);
	for (int i = 0; i < names.count; i++) {
		struct mapped m = {0};

		for (int k = 0; k < count; k++)
			look_at(tree[k], directory, names.of[i], &m);
		if ((stand_ins ? m.itself : m.stand_in) || !(stand_ins ? m.stand_in : m.itself) || m.several) {
			snprintf(text, size, "%s has %d mappings, what stands in for it %d%s", names.of[i], m.itself, m.stand_in,
				 m.several ? ", in several inodes" : "");
			return false;
		}
	}
	return true;
}
