/* SPDX-License-Identifier: MIT */
#include "kernel/procfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"

/*
 * Most paths lead into the same process one after another.  From the second on they are looked up from its directory,
 * which is kept: with a thousand descriptors, the way there is a good part of the cost.
 */
static struct {
	pid_t pid;
	int fd;		/* -1: asked for only once so far */
} kept = { 0, -1 };

static int other = -1;	/* the root of a /proc that is used in place of the one that all see */

void proc_use(int fd)
{
	other = fd;
}

static void keep(pid_t pid, int fd)
{
	if (kept.fd >= 0)
		close(kept.fd);
	kept.pid = pid;
	kept.fd = fd;
}

/* Where to look up *path from, which then is what is left of it. */
static int start_of(const char **path)
{
	const size_t root = strlen("/proc/");
	char directory[32], *end;
	pid_t pid;

	if (IS_ON_PIDNS && other >= 0 && !strncmp(*path, "/proc", root - 1)) {
		*path = (*path)[root - 1] ? *path + root : ".";
		return other;
	}
	if (strncmp(*path, "/proc/", root))
		return AT_FDCWD;
	pid = (pid_t)strtol(*path + root, &end, 10);
	if (pid <= 0 || *end != '/')
		return AT_FDCWD;
	if (kept.pid != pid) {
		keep(pid, -1);
	} else if (kept.fd < 0) {
		snprintf(directory, sizeof(directory), "/proc/%d", pid);
		keep(pid, open_file(directory, O_PATH | O_DIRECTORY));
	}
	if (kept.fd < 0)
		return AT_FDCWD;
	*path = end + 1;
	return kept.fd;
}

/* Not found there: the kept directory may be that of a process that had the number before. */
static bool look_again(int from)
{
	if (from == AT_FDCWD || from == other || (errno != ENOENT && errno != ESRCH))
		return false;
	keep(0, -1);
	return true;
}

int proc_open(const char *path, int flags)
{
	const char *rest = path;
	int from = start_of(&rest);
	int fd = (int)syscall(SYS_openat, from, rest, flags | O_CLOEXEC | O_LARGEFILE);

	return fd < 0 && look_again(from) ? open_file(path, flags) : fd;
}

int proc_lookup(const char *path, int flags, struct stat *st)
{
	const char *rest = path;
	int from = start_of(&rest);
	int ret = fstatat(from, rest, st, flags);

	return ret && look_again(from) ? fstatat(AT_FDCWD, path, st, flags) : ret;
}

ssize_t proc_readlink(const char *path, char *to, size_t cap)
{
	const char *rest = path;
	int from = start_of(&rest);
	ssize_t len = readlinkat(from, rest, to, cap - 1);

	if (len < 0 && look_again(from))
		len = readlink(path, to, cap - 1);
	if (len == (ssize_t)cap - 1) {
		errno = ENAMETOOLONG;
		len = -1;
	}
	to[len < 0 ? 0 : len] = '\0';
	return len;
}

int proc_check(void)
{
	char self[16];

	/* unshare(1) --pid leaves the /proc of the namespace outside, which has the numbers of there, also for this process */
	if (proc_readlink("/proc/self", self, sizeof(self)) > 0 && strtol(self, NULL, 10) == getpid())
		return 0;
	return fail(ENOENT, "/proc is not mounted, or shows another PID namespace");
}

/* One read(2): what a file of one record (seq_file's single_open) has to tell comes whole, or as far as there is room. */
ssize_t proc_read(const char *path, char *text, size_t cap)
{
	CLEANUP_CLOSE int fd = proc_open(path, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, text, cap - 1);

	if (len < 0)
		return -errno;
	text[len] = '\0';
	return len;
}

int proc_read_all(const char *path, struct buffer *text)
{
	CLEANUP_CLOSE int fd = proc_open(path, O_RDONLY);
	char part[1024];
	ssize_t len = -1;
	int err = 0;

	while (!err && fd >= 0 && (len = read(fd, part, sizeof(part))) > 0)
		err = buffer_append(text, part, (size_t)len);
	if (len < 0)
		err = -errno;
	return err ? err : buffer_append(text, "", 1);
}

ssize_t proc_readf(char *text, size_t cap, const char *fmt, ...)
{
	char path[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	return proc_read(path, text, cap);
}

ssize_t proc_link(char *to, size_t cap, const char *fmt, ...)
{
	char path[128];
	va_list args;
	ssize_t len;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	len = proc_readlink(path, to, cap);
	return len < 0 ? -errno : len;
}

/* The fields behind the command name, by the number that proc(5) gives them, from 3 (state, no number) on; 0: not there. */
enum { STAT_FIELDS = 53 };

static void stat_fields(const char *p, uint64_t fields[STAT_FIELDS])
{
	for (int i = 3; i < STAT_FIELDS; i++) {
		const char *end = p + strcspn(p, " ");

		fields[i] = *p == '-' ? (uint64_t)strtoll(p, NULL, 10) : strtoull(p, NULL, 10);
		p = *end ? end + 1 : end;
	}
}

int proc_stat(pid_t pid, pid_t tid, struct proc_stat *st)
{
	char text[1024];
	uint64_t field[STAT_FIELDS];
	char *open_paren, *close_paren;
	ssize_t len;

	if (tid && tid != pid)
		len = proc_readf(text, sizeof(text), "/proc/%d/task/%d/stat", pid, tid);
	else
		len = proc_readf(text, sizeof(text), "/proc/%d/stat", pid);
	if (len < 0)
		return len == -ENOENT ? -ESRCH : (int)len;
	open_paren = strchr(text, '(');
	close_paren = strrchr(text, ')');
	if (!open_paren || !close_paren || close_paren[1] != ' ')
		return -EPROTO;
	memset(st, 0, sizeof(*st));
	*close_paren = '\0';
	snprintf(st->comm, sizeof(st->comm), "%s", open_paren + 1);
	st->state = close_paren[2];
	stat_fields(close_paren + 2, field);
	st->ppid = (pid_t)field[4];
	st->pgrp = (pid_t)field[5];
	st->session = (pid_t)field[6];
	st->tty_nr = (int)field[7];
	st->flags = field[9];
	st->threads = (unsigned int)field[20];
	st->start_time = field[22];
	st->start_code = field[26];
	st->end_code = field[27];
	st->start_stack = field[28];
	st->exit_signal = (int)field[38];
	st->start_data = field[45];
	st->end_data = field[46];
	st->start_brk = field[47];
	st->arg_start = field[48];
	st->arg_end = field[49];
	st->env_start = field[50];
	st->env_end = field[51];
	st->exit_code = (int)field[52];
	return 0;
}

static void ids(uint32_t id[4], const char *p)
{
	for (int i = 0; i < 4; i++)
		id[i] = (uint32_t)strtoul(p, (char **)&p, 10);
}

static void groups(struct proc_status *st, const char *p)
{
	struct proc_credentials *c = &st->credentials;

	for (;;) {
		char *end;
		unsigned long id = strtoul(p, &end, 10);

		if (end == p)
			return;
		if (c->groups_n == PROC_GROUPS_MAX) {
			st->groups_lost = true;
			return;
		}
		c->groups[c->groups_n++] = (uint32_t)id;
		p = end;
	}
}

/* As strstr(3), which would bring 1 KB along. */
static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (list += strspn(list, " \t"); *list; list += strspn(list, " \t")) {
		if (strcspn(list, " \t") == len && !memcmp(list, word, len))
			return true;
		list += strcspn(list, " \t");
	}
	return false;
}

/* Fields that are one number; in base 16 they are sets of 64 bits. */
static const struct {
	char label[11];
	uint8_t base;
	uint16_t at;
} numbers[] = {
#define NUMBER(label, base, field) { label, base, offsetof(struct proc_status, field) }
	NUMBER("TracerPid", 10, tracer), NUMBER("Tgid", 10, tgid), NUMBER("Threads", 10, threads), NUMBER("Umask", 8, umask),
	NUMBER("NoNewPrivs", 10, credentials.no_new_privs), NUMBER("Seccomp", 10, seccomp),
	NUMBER("SigPnd", 16, sig_pending), NUMBER("ShdPnd", 16, shared_pending),
	NUMBER("SigIgn", 16, sig_ignored), NUMBER("SigCgt", 16, sig_caught),
	NUMBER("CapInh", 16, credentials.cap_inh), NUMBER("CapPrm", 16, credentials.cap_prm),
	NUMBER("CapEff", 16, credentials.cap_eff), NUMBER("CapBnd", 16, credentials.cap_bnd),
	NUMBER("CapAmb", 16, credentials.cap_amb),
#undef NUMBER
};

int proc_status(pid_t pid, pid_t tid, struct proc_status *st)
{
	char text[6144];
	ssize_t len = tid == pid ? proc_readf(text, sizeof(text), "/proc/%d/status", pid)
				 : proc_readf(text, sizeof(text), "/proc/%d/task/%d/status", pid, tid);
	struct proc_credentials *c = &st->credentials;
	bool has_mm = false;

	if (len < 0)
		return len == -ENOENT ? -ESRCH : (int)len;
	memset(st, 0, sizeof(*st));
	for (char *line = text, *next; line && *line; line = next) {
		char *value;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = '\0';
		/* the first letter rules out most of them without a call */
#define IS(label) (*line == *(label) && !strcmp(line, label))
#define FIELD(label, ...) else if (IS(label)) do { __VA_ARGS__; } while (0)
		if (IS("Uid"))
			ids(c->uid, value);
		FIELD("Gid", ids(c->gid, value));
		FIELD("Groups", groups(st, value));
		FIELD("VmSize", has_mm = true; st->size = strtoull(value, NULL, 10) * 1024);
		FIELD("VmData", st->data = strtoull(value, NULL, 10) * 1024);
		FIELD("VmLck", st->locked = strtoul(value, NULL, 10) != 0);
		FIELD("x86_Thread_features", st->shadow_stack = has_word(value, "shstk"));
		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
			char *at = (char *)st + numbers[i].at;

			if (!IS(numbers[i].label))
				continue;
			if (numbers[i].base == 16)
				*(uint64_t *)(void *)at = strtoull(value, NULL, 16);
			else
				*(uint32_t *)(void *)at = (uint32_t)strtoul(value, NULL, numbers[i].base);
		}
#undef FIELD
#undef IS
	}
	st->kernel_thread = !has_mm;
	return 0;
}

/* getdents64(2) into the stack: opendir(3) would map and unmap memory each time, which costs more than the reading. */
struct kernel_dirent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

int proc_numbers(const char *directory, int (*each)(void *arg, int number), void *arg)
{
	CLEANUP_CLOSE int fd = proc_open(directory, O_RDONLY | O_DIRECTORY);
	uint8_t entries[4096] __attribute__((aligned(8)));
	long got;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((got = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		for (long at = 0; at < got;) {
			const struct kernel_dirent *entry = (const struct kernel_dirent *)(const void *)(entries + at);
			int ret;

			at += entry->reclen;
			if (!isdigit((unsigned char)entry->name[0]))
				continue;
			ret = each(arg, atoi(entry->name));
			if (ret)
				return ret;
		}
	}
	return got < 0 ? (errno == ENOENT ? -ESRCH : -errno) : 0;
}

/* Without CONFIG_PROC_CHILDREN: whoever names pid as its parent. */
struct child_search {
	pid_t parent;
	int (*each)(void *arg, int child);
	void *arg;
};

static int if_child(void *arg, int pid)
{
	struct child_search *search = arg;
	struct proc_stat st;

	if (proc_stat(pid, 0, &st) || st.ppid != search->parent)
		return 0;
	return search->each(search->arg, pid);
}

int proc_thread_children(pid_t pid, pid_t tid, int (*each)(void *arg, int child), void *arg)
{
	char path[64], text[16384];
	CLEANUP_CLOSE int fd = -1;
	size_t len = 0;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, tid);
	fd = proc_open(path, O_RDONLY);
	err = fd < 0 ? -errno : read_upto(fd, text, sizeof(text) - 1, &len);
	if (err)
		return err == -ESRCH ? 0 : err;
	if (len == sizeof(text) - 1)	/* more than fits */
		return -ENOENT;
	text[len] = '\0';
	for (char *p = text, *end;; p = end) {
		long child = strtol(p, &end, 10);
		int ret;

		if (end == p)
			return 0;
		ret = each(arg, (int)child);
		if (ret)
			return ret;
	}
}

struct children_of {
	pid_t pid;
	int (*each)(void *arg, int child);
	void *arg;
};

static int children_of_thread(void *arg, int tid)
{
	const struct children_of *of = arg;

	return proc_thread_children(of->pid, tid, of->each, of->arg);
}

int proc_children(pid_t pid, int (*each)(void *arg, int child), void *arg)
{
	struct children_of of = { pid, each, arg };
	struct child_search search = { pid, each, arg };
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	ret = proc_numbers(path, children_of_thread, &of);
	return ret == -ENOENT ? proc_numbers("/proc", if_child, &search) : ret;
}

static void parse_fdinfo(char *text, struct proc_fdinfo *info)
{
	memset(info, 0, sizeof(*info));
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!strncmp(line, "pos:", 4))
			info->pos = strtoull(line + 4, NULL, 10);
		else if (!strncmp(line, "flags:", 6))
			info->flags = (unsigned int)strtoul(line + 6, NULL, 8);
		else if (!strncmp(line, "mnt_id:", 7))
			info->mnt_id = (unsigned int)strtoul(line + 7, NULL, 10);
		else if (!strncmp(line, "lock:", 5) && !info->locked) {
			info->locked = true;
			snprintf(info->lock, sizeof(info->lock), "%s", line + 5 + strspn(line + 5, " \t"));
		}
	}
}

int proc_fdinfo(pid_t pid, int fd, struct proc_fdinfo *info)
{
	char text[2048];
	ssize_t len = proc_readf(text, sizeof(text), "/proc/%d/fdinfo/%d", pid, fd);

	if (len < 0)
		return len == -ENOENT ? -EBADF : (int)len;
	parse_fdinfo(text, info);
	return 0;
}

int proc_fdinfo_again(int opened, struct proc_fdinfo *info)
{
	char text[2048];
	const ssize_t len = pread(opened, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return len ? -errno : -EBADF;
	text[len] = '\0';
	parse_fdinfo(text, info);
	return 0;
}
