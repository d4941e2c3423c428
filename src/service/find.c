/* SPDX-License-Identifier: MIT */
#include "service/find.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/procfs.h"
#include "service/root.h"

static const uint64_t PF_KTHREAD = 0x00200000;	/* include/linux/sched.h */

/* <linux/magic.h>: these are empty after a boot. */
enum { IS_TMPFS = 0x01021994, IS_RAMFS = 0x858458f6 };

struct search {
	const struct service *service;
	struct stat own;	/* tinyckpt's program */
	pid_t found, other;	/* the best so far, and another root, 0: none */
	uint64_t since;		/* found's start */
	int err;
};

static bool ended(const struct proc_stat *st)
{
	return (st->state == 'Z' && st->threads < 2) || st->state == 'X';
}

bool process_lives(pid_t pid, uint64_t since)
{
	struct proc_stat st;

	return !proc_stat(pid, 0, &st) && !ended(&st) && (!since || st.start_time == since);
}

/* The kernel keeps COMM_LEN - 1 bytes of a name. */
static bool is_called(const char *comm, const char *name)
{
	return !strncmp(comm, name, COMM_LEN - 1);
}

/* Is one of path's parts the name? */
static bool has_part(const char *path, const char *name)
{
	const size_t len = strlen(name);

	while (*path) {
		path += *path == '/';
		if (strcspn(path, "/") == len && !memcmp(path, name, len))
			return true;
		path += strcspn(path, "/");
	}
	return false;
}

/* Lines of /proc/PID/cgroup are number:controllers:path, cgroups(7). */
static bool in_cgroup(pid_t pid, const struct service *s)
{
	char text[8192];
	ssize_t len = proc_readf(text, sizeof(text), "/proc/%d/cgroup", pid);

	for (char *line = text, *end; len > 0 && *line; line = end) {
		char *path = strchr(line, ':');

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		path = path ? strchr(path + 1, ':') : NULL;
		if (path && (s->cgroup ? !strcmp(path + 1, s->cgroup) : has_part(path + 1, s->unit)))
			return true;
	}
	return false;
}

static bool is_own_program(const struct search *search, pid_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return !proc_lookup(path, 0, &st) && st.st_dev == search->own.st_dev && st.st_ino == search->own.st_ino;
}

static bool fits(const struct search *search, pid_t pid, struct proc_stat *st)
{
	const struct service *s = search->service;

	if (proc_stat(pid, 0, st) || (st->flags & PF_KTHREAD) || ended(st))
		return false;
	if (s->command ? !is_called(st->comm, s->command) : !in_cgroup(pid, s))
		return false;
	return !is_own_program(search, pid);
}

static int look(void *arg, int pid)
{
	struct search *search = arg;
	struct proc_stat st, parent;

	if (!fits(search, pid, &st) || fits(search, st.ppid, &parent))
		return 0;
	if (search->found)
		search->other = pid;
	if (search->found && st.start_time >= search->since)
		return 0;
	if (search->found)
		search->other = search->found;
	search->found = pid;
	search->since = st.start_time;
	return 0;
}

static pid_t search_processes(const struct service *s)
{
	struct search search = { .service = s };
	int err;

	if (proc_lookup("/proc/self/exe", 0, &search.own))
		return fail_errno("/proc/self/exe");
	err = proc_numbers("/proc", look, &search);
	if (err)
		return fail_for(err, "/proc");
	if (!s->command && search.other)
		return fail(EHOLDS, "its cgroup holds processes that are no descendants of each other: %d and %d", search.found,
			    search.other);
	return search.found;
}

/* The number in a pidfile; 0: there is none. */
static int read_pidfile(const struct service *s, struct stat *st)
{
	CLEANUP_CLOSE int fd = open(s->pidfile, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct statfs fs;
	char text[64], *end;
	size_t len;
	long pid;
	int err;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, st))
		return fail_errno("%s", s->pidfile);
	if (!S_ISREG(st->st_mode) || (st->st_mode & S_IWOTH) || (st->st_mode & S_IWGRP && st->st_gid) || st->st_nlink > 1)
		return fail(EUSAGE, "%s: is not a regular file of one name, or others may write it", s->pidfile);
	/* One that a boot leaves in place names whoever has the number now. */
	if (!s->command && (fstatfs(fd, &fs) || ((unsigned int)fs.f_type != IS_TMPFS && (unsigned int)fs.f_type != IS_RAMFS)))
		return fail(EUSAGE, "%s: is not on a tmpfs, and may be of an earlier boot: command= is needed as well", s->pidfile);
	err = read_upto(fd, text, sizeof(text) - 1, &len);
	if (err)
		return fail_for(err, "%s", s->pidfile);
	text[len] = '\0';
	pid = strtol(text, &end, 10);	/* behind blanks, as some write it */
	if (!isdigit((unsigned char)text[strspn(text, " ")]) || (*end && !isspace((unsigned char)*end)) || pid < 2 || pid > 4194304)
		return len ? fail(EUSAGE, "%s: holds no process ID", s->pidfile) : 0;
	return (int)pid;
}

static pid_t find_by_pidfile(const struct service *s)
{
	struct proc_stat stat;
	struct proc_status status;
	struct stat st = { 0 };
	int pid = read_pidfile(s, &st);

	if (pid <= 0)
		return pid;
	if (proc_stat(pid, 0, &stat) || ended(&stat) || (s->command && !is_called(stat.comm, s->command)))
		return 0;
	/* Who may write the file must not choose somebody else's process. */
	if (st.st_uid != 0 && (proc_status(pid, pid, &status) || status.credentials.uid[0] != st.st_uid))
		return fail(EUSAGE, "%s: belongs to user %u, process %d does not", s->pidfile, (unsigned int)st.st_uid, pid);
	return pid;
}

pid_t service_find(const struct service *s, int directory)
{
	pid_t found = s->pidfile ? find_by_pidfile(s) : search_processes(s);

	if (found || !(s->cgroup || s->unit))
		return found;
	found = root_kept(directory, s->name);
	return process_lives(found, 0) ? found : 0;
}
