/* SPDX-License-Identifier: MIT */
#include "tree/own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "arch.h"
#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"
#include "image/crc32c.h"
#include "kernel/task_memory.h"
#include "tree/dead_bytes.h"
#include "tree/mapped.h"
#include "tree/reborn.h"
#include "tree/vdso.h"
#include "vma.pb.h"

int own_note(struct owns *o, const struct vma *v)
{
	struct own *own = &o->own[o->n];

	if (o->n == sizeof(o->own) / sizeof(*o->own))
		return fail(EOPNOTSUPP, "more of the kernel's own mappings than are known");
	*own = (struct own){ .start = v->start, .end = v->end };
	snprintf(own->name, sizeof(own->name), "%.20s", v->name);
	o->n++;
	return 0;
}

static int see_vdso(void *arg, struct vma *v)
{
	size_t *len = arg;

	if (strcmp(v->name, "[vdso]") || v->start != getauxval(AT_SYSINFO_EHDR))
		return 0;
	*len = v->end - v->start;
	return 1;
}

size_t own_vdso_len(void)
{
	static size_t len;

	if (!len)
		(void)proc_vmas(getpid(), false, see_vdso, &len);
	return len;
}

bool own_same_vdso(uint64_t len, uint32_t crc)
{
	const void *here = (const void *)getauxval(AT_SYSINFO_EHDR);

	return !crc || (here && len > DEAD_BYTES && crc32c(0, here, len - DEAD_BYTES) == crc);
}

/*
 * They come and go in groups: the vDSO finds its data by their distance, and ARM's page of signal returns, which is another after
 * every boot, is for itself: it keeps its place and is made one that serves all kernels.  An image may have several vDSOs: that
 * of the kernel it ran under, and those of kernels before.
 */
enum group { GROUP_VDSO, GROUP_SIGPAGE, GROUPS = IS_ON_VDSO_PROXY ? 2 : 1 };

static bool in_group(const char *name, enum group group)
{
	return !IS_ON_VDSO_PROXY || (strcmp(name, "[sigpage]") == 0) == (group == GROUP_SIGPAGE);
}

static size_t count_own(const struct owns *o, enum group group)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += in_group(o->own[i].name, group);
	return n;
}

/* How many mappings from want[first] on belong together: up to the code.  All of them, where there is but one group. */
static size_t belong(const struct mapped *want, size_t n, size_t first)
{
	size_t i = first;

	while (i < n && want[i].kind == VmaKind_VDSO && (!IS_ON_VDSO_PROXY || i == first || want[i].start == want[i - 1].end)) {
		i++;
		if (IS_ON_VDSO_PROXY && strncmp(want[i - 1].name, "[vvar", 5) != 0)
			break;
	}
	return i - first;
}

static bool same_text(const struct restore *r, const struct own *own, const struct mapped *want, enum group group)
{
	const size_t len = own->end - own->start;
	CLEANUP_FREE uint8_t *text = NULL;

	if (group == GROUP_VDSO)
		return own_same_vdso(len, want->crc);
	text = malloc(len);
	return !want->crc || (text && len > DEAD_BYTES && !task_read(r->pid, text, own->start, len) &&
			      crc32c(0, text, len - DEAD_BYTES) == want->crc);
}

static struct own *named(struct owns *o, const struct mapped *want)
{
	for (size_t i = 0; i < o->n; i++)
		if (!strcmp(o->own[i].name, want->name) && o->own[i].end - o->own[i].start == want->end - want->start)
			return &o->own[i];
	return NULL;
}

/* Does the kernel have those as they are wanted? */
static bool fits(const struct restore *r, struct owns *o, const struct mapped *want, size_t n, enum group group)
{
	for (size_t i = 0; i < n; i++) {
		const struct own *own = named(o, &want[i]);

		if (!own || !same_text(r, own, &want[i], group))
			return false;
	}
	return !IS_ON_VDSO_PROXY || n == count_own(o, group);
}

static uint64_t group_len(const struct owns *o, enum group group)
{
	uint64_t start = 0, end = 0;

	for (size_t i = 0; i < o->n; i++) {
		if (!in_group(o->own[i].name, group))
			continue;
		start = end ? start : o->own[i].start;
		end = o->own[i].end;
	}
	return end - start;
}

static void displace(struct owns *o, enum group group, uint64_t to)
{
	uint64_t start = 0;

	for (size_t i = 0; i < o->n; i++) {
		struct own *own = &o->own[i];

		if (!in_group(own->name, group))
			continue;
		start = start ? start : own->start;
		own->to = to + (own->start - start);
	}
}

/*
 * Free addresses for what has no place of its own: the smallest gap that is large enough, at its upper end.  Where a stack or
 * the heap may want to grow is left alone: below a stack, and what is largest.
 */
static uint64_t free_place(const struct restore *r, const struct owns *o, uint64_t len)
{
	uint64_t best = 0, found = r->area - REBORN_ROOM, below = 0;	/* else where nobody in the tree has anything */
	struct mapped v;

	for (struct mapped_at at = { 0 }; mapped_next(&r->memory, &at, &v); below = v.end) {
		const uint64_t room = v.start - below, start = v.start - len;
		bool taken = start < r->area + REBORN_ROOM && v.start > r->area;

		for (size_t k = 0; k < o->n; k++)
			taken |= start < o->own[k].to + (o->own[k].end - o->own[k].start) && v.start > o->own[k].to;
		if (!below || v.grows_down || room < len || (best && room >= best) || taken)
			continue;
		best = room;
		found = start;
	}
	return found;
}

/*
 * Where the group goes among those that are wanted, and memory for all the others.  *homeless: to none of their places.  Where the
 * clocks are to be led astray, not to where programs call.
 */
static int place_group(struct restore *r, struct owns *o, enum group group, bool *homeless)
{
	const bool clocks = IS_ON_VDSO_PROXY && group == GROUP_VDSO && (r->told.monotonic || r->told.boottime);
	bool placed = false, wanted = false;
	size_t n;
	struct mapped *want = mapped_own(&r->memory, &n);

	for (size_t i = 0; i < n; i++) {
		const size_t run = want[i].kind == VmaKind_VDSO && in_group(want[i].name, group) ? belong(want, n, i) : 0;
		int err;

		if (!run)
			continue;
		wanted = true;
		if (!placed && !(clocks && !want[i].spare) && fits(r, o, &want[i], run, group)) {
			for (size_t k = 0; k < run; k++)
				named(o, &want[i + k])->to = want[i + k].start;
			if (IS_ON_VDSO_PROXY && group == GROUP_VDSO)
				vdso_back(r, &want[i], run);
			placed = true;
			i += run - 1;
			continue;
		}
		if (ARCH_SIGNAL_PAGE && !placed && group == GROUP_SIGPAGE && named(o, &want[i])) {
			named(o, &want[i])->to = want[i].start;
			placed = named(o, &want[i])->serves_others = true;
			continue;
		}
		if (!IS_ON_VDSO_PROXY)
			return fail(EIMAGE, "this kernel's %s is another than the image's: built without CONFIG_VDSO_PROXY",
				    want[i].name);
		err = vdso_stand_in(r, i);
		if (err)
			return err;
		want = mapped_own(&r->memory, &n);
	}
	*homeless = (wanted || group == GROUP_SIGPAGE) && !placed;
	return 0;
}

int own_place(struct restore *r, struct owns *o)
{
	for (enum group group = 0; group < GROUPS; group++) {
		bool homeless = false;
		int err = place_group(r, o, group, &homeless);

		if (err)
			return err;
		if (IS_ON_VDSO_PROXY && homeless && count_own(o, group))
			displace(o, group, free_place(r, o, group_len(o, group)));
	}
	return 0;
}
