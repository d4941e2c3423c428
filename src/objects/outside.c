/* SPDX-License-Identifier: MIT */
#include "objects/outside.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct search {
	const struct save *s;
	const char *link;	/* pipe:[123], or the path of a FIFO */
	pid_t pid, found;
};

static int same_link(void *arg, int fd)
{
	struct search *search = arg;
	char link[256];

	if (proc_link(link, sizeof(link), "/proc/%d/fd/%d", search->pid, fd) < 0 || strcmp(link, search->link))
		return 0;
	search->found = search->pid;
	return 1;
}

static int search_process(void *arg, int pid)
{
	struct search *search = arg;
	char path[32];

	if (pid == getpid() || tree_has(&search->s->tree, pid))
		return 0;
	search->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	return proc_numbers(path, same_link, search) == 1;
}

bool outside_holder(struct save *s, const struct opened *o, pid_t *pid, char comm[64])
{
	struct search search = { .s = s, .link = o->path };
	struct proc_stat st;

	proc_numbers("/proc", search_process, &search);
	if (!search.found)
		return false;
	*pid = search.found;
	snprintf(comm, 64, "%s", proc_stat(search.found, 0, &st) ? "?" : st.comm);
	return true;
}
