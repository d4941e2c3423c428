/* SPDX-License-Identifier: MIT */
#include "objects/outside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "objects/object.h"

/* A pipe that a process outside the tree has open.  The machine's descriptors are read once. */
struct outside_pipe {
	uint64_t ino;
	pid_t pid;
};

struct search {
	struct save *s;
	const struct stat *fifo;	/* which may have other names, or none any more; NULL: all pipes into the list */
	pid_t pid, found;
};

static int see_descriptor(void *arg, int fd)
{
	struct search *search = arg;
	char path[32], link[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", search->pid, fd);
	if (search->fifo) {
		if (proc_lookup(path, 0, &st) || st.st_ino != search->fifo->st_ino || st.st_dev != search->fifo->st_dev)
			return 0;
		search->found = search->pid;
		return 1;
	}
	if (proc_readlink(path, link, sizeof(link)) > 0 && !strncmp(link, "pipe:[", 6)) {
		struct outside_pipe p = { strtoull(link + 6, NULL, 10), search->pid };

		return buffer_append(&search->s->outside, &p, sizeof(p));
	}
	return 0;
}

static int see_process(void *arg, int pid)
{
	struct search *search = arg;
	char path[32];
	int ret;

	if (pid == getpid() || tree_has(&search->s->tree, pid))
		return 0;
	search->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	ret = proc_numbers(path, see_descriptor, search);
	return ret == -ESRCH || ret == -EACCES ? 0 : ret;	/* gone, or none that we may see */
}

/* What was not seen is not known to be absent. */
static void look_through(struct search *search)
{
	int err = proc_numbers("/proc", see_process, search);

	if (err < 0)
		obstacle(search->s, "who else has it open cannot be looked up: %s", strerror(-err));
}

static pid_t find_pipe(struct save *s, uint64_t ino)
{
	const struct outside_pipe *p;
	struct search search = { .s = s };

	if (!s->outside_known)
		look_through(&search);
	s->outside_known = true;
	p = (const struct outside_pipe *)(const void *)s->outside.data;
	for (size_t i = 0; i < s->outside.len / sizeof(*p); i++)
		if (p[i].ino == ino)
			return p[i].pid;
	return 0;
}

bool outside_holder(struct save *s, const struct opened *o, pid_t *pid, char comm[64])
{
	struct search search = { .s = s, .fifo = &o->st };
	struct proc_stat st;

	if (o->path[0] == '/')
		look_through(&search);
	else
		search.found = find_pipe(s, o->ino);
	if (!search.found)
		return false;
	*pid = search.found;
	snprintf(comm, 64, "%s", proc_stat(search.found, 0, &st) ? "?" : st.comm);
	return true;
}
