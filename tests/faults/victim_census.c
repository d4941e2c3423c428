/* SPDX-License-Identifier: MIT */
/* The process counts its own belongings: what is more than at the start was left behind by someone. */
#define _GNU_SOURCE
#include "victim.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 256, DESCRIPTORS = 64 };

struct mapping {
	unsigned long from, to;
	char rights[8], name[128];
};

static struct mapping before[LINES], after[LINES];
static int count_before;
static bool open_before[DESCRIPTORS];

/* Neighbours of one kind count as one mapping: the kernel itself merges them or not, by what it remembers of them. */
static bool continues(const struct mapping *m, const struct mapping *next)
{
	return m->to == next->from && !strcmp(m->rights, next->rights) && !strcmp(m->name, next->name);
}

/* Reads without stdio: its buffer would be a change of the heap. */
static int read_mappings(struct mapping *list)
{
	static char text[64 * 1024];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), count = 0;
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	close(fd);
	text[size] = 0;
	for (char *line = text; *line && count < LINES;) {
		struct mapping *m = &list[count];
		char *end = strchr(line, '\n');

		if (end)
			*end = 0;
		memset(m, 0, sizeof(*m));
		sscanf(line, "%lx-%lx %7s %*s %*s %*s %127[^\n]", &m->from, &m->to, m->rights, m->name);
		line = end ? end + 1 : line + strlen(line);
		if (count && continues(m - 1, m))
			m[-1].to = m->to;
		else
			count++;
	}
	return count;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

void census_start(void)
{
	count_before = read_mappings(before);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		open_before[fd] = is_open(fd);
}

/* The tool may still be on its way out of another thread: what counts is what stays. */
enum { PATIENCE_MS = 500 };

static void wait_a_little(void)
{
	struct timespec nap = { 0, 5000000 };

	nanosleep(&nap, NULL);
}

void census_descriptors(void)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		for (int waited = 0; is_open(fd) != open_before[fd]; waited += 5) {
			if (waited > PATIENCE_MS * slow)
				violation("descriptor %d is %s", fd, open_before[fd] ? "closed" : "open though it was not");
			wait_a_little();
		}
}

void census_mappings(void)
{
	for (int waited = 0;; waited += 5) {
		int count = read_mappings(after), i = 0;

		while (i < count && i < count_before && !memcmp(&before[i], &after[i], sizeof(before[i])))
			i++;
		if (i == count && count == count_before)
			return;
		if (waited > PATIENCE_MS * slow) {
			const struct mapping *a = &after[i], *b = &before[i];

			violation("mappings: %d, were %d; the first that differs is %lx-%lx %s %s, was %lx-%lx %s %s", count,
				  count_before, a->from, a->to, a->rights, a->name, b->from, b->to, b->rights, b->name);
		}
		wait_a_little();
	}
}
