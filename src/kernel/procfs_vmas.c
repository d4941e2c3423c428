/* SPDX-License-Identifier: MIT */
/* /proc/PID/maps and smaps. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/scope.h"
#include "kernel/procfs.h"

/* A line reader over a file that may be long: constant memory. */
struct lines {
	int fd;
	int err;	/* why there is no next one, when that is not the end */
	size_t len, at;
	char buf[8192];
};

static char *lines_next(struct lines *l)
{
	for (;;) {
		char *end = memchr(l->buf + l->at, '\n', l->len - l->at);
		ssize_t got;

		if (end) {
			char *line = l->buf + l->at;

			*end = '\0';
			l->at = (size_t)(end - l->buf) + 1;
			return line;
		}
		memmove(l->buf, l->buf + l->at, l->len - l->at);
		l->len -= l->at;
		l->at = 0;
		if (l->len == sizeof(l->buf)) {
			l->err = -EPROTO;
			return NULL;
		}
		got = read(l->fd, l->buf + l->len, sizeof(l->buf) - l->len);
		if (got <= 0) {
			l->err = got < 0 ? -errno : 0;
			return NULL;
		}
		l->len += (size_t)got;
	}
}

/* The kernel writes a newline of a name as \012, and only that. */
static void unescape(char *name)
{
	char *to = name;

	for (const char *from = name; *from; from++) {
		if (!strncmp(from, "\\012", 4)) {
			*to++ = '\n';
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

/* One hexadecimal or decimal number and the character that must follow it. */
static bool number(char **p, int base, char follows, uint64_t *value)
{
	char *end;

	*value = strtoull(*p, &end, base);
	if (end == *p || *end != follows)
		return false;
	*p = end + 1;
	return true;
}

/* A name that was given hides the one that the kernel has, which anonymous memory would be known by. */
static void take_label(struct vma *v)
{
	static const char own[] = "[anon:", shared[] = "[anon_shmem:";
	const char *label = !strncmp(v->name, own, sizeof(own) - 1)	    ? v->name + sizeof(own) - 1
			    : !strncmp(v->name, shared, sizeof(shared) - 1) ? v->name + sizeof(shared) - 1
									    : NULL;

	v->label[0] = '\0';
	if (!label)
		return;
	snprintf(v->label, sizeof(v->label), "%.*s", (int)strcspn(label, "]"), label);
	v->deleted = v->shared;
	strcpy(v->name, v->shared ? "/dev/zero" : "");
}

static bool parse_vma(char *line, struct vma *v)
{
	uint64_t major_, minor_;
	char *perms;
	size_t len;

	memset(v, 0, offsetof(struct vma, name));
	v->name[0] = '\0';
	v->deleted = false;
	if (!number(&line, 16, '-', &v->start) || !number(&line, 16, ' ', &v->end) || v->start >= v->end)
		return false;
	perms = line;
	if (strlen(line) < 5 || line[4] != ' ')
		return false;
	line += 5;
	if (!number(&line, 16, ' ', &v->pgoff) || !number(&line, 16, ':', &major_) || !number(&line, 16, ' ', &minor_))
		return false;
	v->ino = strtoull(line, &line, 10);
	line += strspn(line, " ");
	v->prot = (perms[0] == 'r' ? PROT_READ : 0) | (perms[1] == 'w' ? PROT_WRITE : 0) | (perms[2] == 'x' ? PROT_EXEC : 0);
	v->shared = perms[3] == 's';
	v->dev = makedev((unsigned int)major_, (unsigned int)minor_);
	snprintf(v->name, sizeof(v->name), "%s", line);
	len = strlen(v->name);
	if (len > 10 && !strcmp(v->name + len - 10, " (deleted)")) {
		v->name[len - 10] = '\0';
		v->deleted = true;
	}
	if (v->name[0] == '/')
		unescape(v->name);
	take_label(v);
	return true;
}

static void vm_flags(struct vma *v, const char *p)
{
	static const struct {
		char name[3];
		uint16_t at;
	} flags[] = {
#define FLAG(text, member) { text, offsetof(struct vma, member) }
		FLAG("gd", grows_down), FLAG("lo", locked), FLAG("lf", onfault), FLAG("??", unnamed), FLAG("ht", hugetlb), FLAG("dc", dontcopy),
		FLAG("wf", wipeonfork), FLAG("dd", dontdump), FLAG("hg", thp), FLAG("nh", nothp), FLAG("mg", mergeable), FLAG("io", io),
		FLAG("nr", noreserve), FLAG("ss", shadow_stack), FLAG("sl", sealed), FLAG("um", uffd), FLAG("uw", uffd),
		FLAG("mw", maywrite), FLAG("sr", sequential), FLAG("rr", random), FLAG("bt", bti), FLAG("mt", mte), FLAG("dp", droppable),
		FLAG("gu", guard),
#undef FLAG
	};

	for (;; p += 2) {
		while (*p == ' ')
			p++;
		if (!p[0] || !p[1])
			break;
		for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
			if (p[0] == flags[i].name[0] && p[1] == flags[i].name[1])
				*(bool *)((char *)v + flags[i].at) = true;
	}
	/* Of what the kernel has no name for, only this one goes with locked memory; it got its own, lf, after 6.12. */
	v->onfault |= v->locked && v->unnamed;
}

/* Adds what the line tells in KiB, if that is its name. */
static bool detail(const char *line, const char *name, uint64_t *bytes)
{
	if (strncmp(line, name, strlen(name)))
		return false;
	*bytes += strtoull(line + strcspn(line, ":") + 1, NULL, 10) << 10;
	return true;
}

int proc_vmas(pid_t pid, bool smaps, int (*each)(void *arg, struct vma *vma), void *arg)
{
	char path[64];
	struct lines lines;
	CLEANUP_CLOSE int fd = -1;
	struct vma vma, *v = &vma;
	bool have = false;
	char *line;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, smaps ? "smaps" : "maps");
	fd = proc_open(path, O_RDONLY);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	lines.fd = fd;
	lines.err = 0;
	lines.len = lines.at = 0;
	while ((line = lines_next(&lines))) {
		/* a head line begins with a small hexadecimal digit, a detail with a capital letter */
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript): a line was read */
		if (isxdigit((unsigned char)line[0]) && !isupper((unsigned char)line[0])) {
			int ret;

			if (have && (ret = each(arg, v)))
				return ret;
			if (!parse_vma(line, v))
				return -EPROTO;
			have = true;
			continue;
		}
		if (!have)
			return -EPROTO;
		/* Shared_Clean:, _Dirty:, _Hugetlb: */
		if (detail(line, "Shared_", &v->shared_resident) || detail(line, "Anonymous:", &v->anonymous) ||
		    detail(line, "Swap:", &v->swapped) || detail(line, "KernelPageSize:", &v->kernel_page))
			continue;
		if (!strncmp(line, "ProtectionKey:", 14))
			v->pkey = (unsigned int)strtoul(line + 14, NULL, 10);
		else if (!strncmp(line, "VmFlags:", 8))
			vm_flags(v, line + 8);
	}
	if (lines.err)
		return lines.err;
	return have ? each(arg, v) : 0;
}

bool vma_is_kernels_own(const struct vma *v)
{
	return !strcmp(v->name, "[vdso]") || !strncmp(v->name, "[vvar", 5) || !strcmp(v->name, "[sigpage]");
}

bool vma_is_everywhere(const struct vma *v)
{
	return !strcmp(v->name, "[vsyscall]") || !strcmp(v->name, "[vectors]") || !strcmp(v->name, "[uprobes]");
}
