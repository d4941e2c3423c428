/* SPDX-License-Identifier: MIT */
#include "tree/tags.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "kernel/procfs.h"
#include "pages.pb.h"
#include "tree/records.h"

enum { PAGE_MAX = 1 << 16, TAGS_MAX = PAGE_MAX / ARCH_TAG_BYTES };

/* Two tags, of four bits, in a byte. */
static bool pack(uint8_t *tags, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n / 2; i++)
		any |= tags[i] = (uint8_t)(tags[2 * i] | tags[2 * i + 1] << 4);
	return any;
}

int tags_save(struct save *s, uint32_t pid, pid_t tid, uint64_t start, uint64_t end, bool all)
{
	const size_t n = (size_t)s->page_size / ARCH_TAG_BYTES;
	Tags m = { .process = pid };
	uint8_t tags[TAGS_MAX];
	int err = n > TAGS_MAX ? -E2BIG : 0;

	for (m.start = start; !err && m.start < end; m.start += s->page_size) {
		err = arch_tags_read(tid, m.start, tags, n);
		if (!err && (pack(tags, n) || all))
			err = SAVE_RECORD(s, RECORD_TAGS, Tags_fields, &m, tags, n / 2);
	}
	return err ? fail_for(err, "the tags of its memory at %" PRIx64, m.start) : 0;
}

/* A page of a file that is mapped need not be so here and now; where there is none, looking would make one. */
int tags_save_shared(struct save *s, uint32_t pid, pid_t tid, const struct area *a)
{
	CLEANUP_CLOSE int fd = -1;
	char path[80];
	off_t at = (off_t)a->pgoff, to;
	const off_t stop = at + (off_t)(a->end - a->start);
	const uint64_t base = a->start - a->pgoff;	/* where the file would begin */
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, tid, a->start, a->end);
	fd = proc_open(path, O_RDONLY);
	if (fd < 0)
		return fail_errno("%s", path);
	while (!err && (at = lseek(fd, at, SEEK_DATA)) >= 0 && at < stop) {
		to = lseek(fd, at, SEEK_HOLE);
		if (to < 0 || to > stop)
			to = stop;
		err = tags_save(s, pid, tid, base + (uint64_t)at, base + (uint64_t)to, true);
		at = to;
	}
	return err || at >= 0 || errno == ENXIO ? err : fail_errno("%s: SEEK_DATA", path);
}

int tags_restore(struct restore *r, const struct record *rec)
{
	uint8_t tags[TAGS_MAX];
	Tags m;
	int err = record_decode(rec, Tags_fields, &m);

	if (err)
		return err;
	if ((pid_t)m.process != r->pid || m.start % r->page_size || m.start >= ARCH_TASK_SIZE ||
	    rec->body_len != r->page_size / ARCH_TAG_BYTES / 2 || rec->body_len > TAGS_MAX / 2)
		return fail(EIMAGE, "tags of process %u: not in their place", m.process);
	for (size_t i = 0; i < rec->body_len; i++) {
		tags[2 * i] = rec->body[i] & 15;
		tags[2 * i + 1] = rec->body[i] >> 4;
	}
	err = arch_tags_write(r->pid, m.start, tags, 2 * rec->body_len);
	return err ? fail_for(err, "the tags of its memory at %" PRIx64, m.start) : 0;
}
