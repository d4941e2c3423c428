/* SPDX-License-Identifier: MIT */
#include "tree/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/task_memory.h"
#include "objects/object.h"
#include "tree/pages.h"

enum { PAGE_MIN = 4096, AT_ONCE = 16 * 1024 };

/* Documentation/admin-guide/mm/pagemap.rst: it is there or swapped out, and not the file's */
static bool is_own(uint64_t entry)
{
	return entry >> 62 && !(entry >> 61 & 1);
}

static bool is_on_overlay(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (uint32_t)fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* What restore would take from the file, page by page.  1: another, 0, or a negative errno, unsaid. */
static int differs(const struct save *s, pid_t pid, const struct vma *v, int fd, uint64_t size)
{
	const uint64_t page = s->page_size, end = size < v->pgoff ? 0 : size - v->pgoff;
	uint64_t entries[AT_ONCE / PAGE_MIN];
	uint8_t there[AT_ONCE], file[AT_ONCE];
	CLEANUP_CLOSE int pagemap = pagemap_open(pid);
	int err = pagemap < 0 ? pagemap : 0;
	bool behind = false;	/* the end of the file: what the first page there is tells */
	uint64_t n;

	for (uint64_t at = 0; !err && at < v->end - v->start; at += n) {
		uint64_t have = at < end ? end - at : 0, full;

		n = v->end - v->start - at < AT_ONCE ? v->end - v->start - at : AT_ONCE;
		have = have < n ? have : n;
		full = (have + page - 1) / page * page;	/* behind the end there are zeros */
		full = full < n ? full : n;
		memset(file + have, 0, full - have);
		err = pread_all(pagemap, entries, (n + page - 1) / page * sizeof(*entries), (v->start + at) / page * sizeof(*entries));
		if (!err && full)
			err = task_read(pid, there, v->start + at, full);
		if (err == -EFAULT)	/* what is mapped is shorter */
			return 1;
		if (!err && have)
			err = pread_all(fd, file, have, v->pgoff + at);
		for (uint64_t i = 0; !err && i < n; i += page) {
			if (is_own(entries[i / page]) || (i >= full && behind))
				continue;
			/* a page that can be read behind the end of the file is one of a longer file */
			if (i < full ? memcmp(there + i, file + i, full - i < page ? full - i : page) != 0
				     : !task_read(pid, there, v->start + at + i, 1))
				return 1;
			behind = i >= full;
		}
	}
	return err;
}

int overlay_check(struct save *s, const struct process *p, const struct vma *v)
{
	char path[64];
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	int ret;

	if (v->name[0] != '/' || !(v->prot & PROT_READ) || (v->shared && v->prot & PROT_WRITE))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, p->tid, v->start, v->end);
	fd = proc_open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0 || !is_on_overlay(fd) || fstat(fd, &st))	/* who opens it next tells why not */
		return 0;
	ret = differs(s, p->tid, v, fd, (uint64_t)st.st_size);
	if (ret < 0)	/* what is only looked at may change meanwhile */
		return s->checking ? 0 : fail_for(ret, "mapping %" PRIx64 "-%" PRIx64 ": %s", v->start, v->end, v->name);
	if (ret)
		obstacle(s, "mapping %" PRIx64 "-%" PRIx64 ": %s: the file was overwritten, and its overlay leaves the old one to who has it mapped: "
			    "not supported", v->start, v->end, v->name);
	return 0;
}
