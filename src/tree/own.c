/* SPDX-License-Identifier: MIT */
#include "tree/own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "config.h"
#include "image/crc32c.h"
#include "kernel/task_memory.h"
#include "tree/dead_bytes.h"
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

/* The vDSO of this kernel is the tool's own. */
bool own_same_vdso(uint64_t len, uint32_t crc)
{
	const void *here = (const void *)getauxval(AT_SYSINFO_EHDR);

	return !crc || (here && len > DEAD_BYTES && crc32c(0, here, len - DEAD_BYTES) == crc);
}

/*
 * They come and go in groups: the vDSO finds its data by their distance, and ARM's page of signal returns is for itself.  That
 * one is another after every boot.
 */
enum group { GROUP_VDSO, GROUP_SIGPAGE, GROUPS = IS_ON_VDSO_PROXY ? 2 : 1 };

static bool in_group(const char *name, enum group group)
{
	return !IS_ON_VDSO_PROXY || (strcmp(name, "[sigpage]") == 0) == (group == GROUP_SIGPAGE);
}

static const struct own *first_own(const struct owns *o, enum group group)
{
	for (size_t i = 0; i < o->n; i++)
		if (in_group(o->own[i].name, group))
			return &o->own[i];
	return NULL;
}

static struct mapped *first_wanted(struct mapped *want, size_t n, enum group group)
{
	for (size_t i = 0; i < n; i++)
		if (want[i].kind == VmaKind_VDSO && in_group(want[i].name, group))
			return &want[i];
	return NULL;
}

static bool same_page(const struct restore *r, const struct own *own, uint32_t crc)
{
	const size_t len = own->end - own->start;
	CLEANUP_FREE uint8_t *text = malloc(len);

	return !crc || (text && len > DEAD_BYTES && !task_read(r->pid, text, own->start, len) &&
			crc32c(0, text, len - DEAD_BYTES) == crc);
}

/* Does the kernel have the group as it is wanted?  Then that is where it goes. */
static bool fits(const struct restore *r, struct owns *o, const struct mapped *want, size_t n, enum group group)
{
	size_t wanted = 0, found = 0;

	for (size_t i = 0; i < n; i++) {
		if (want[i].kind != VmaKind_VDSO || !in_group(want[i].name, group))
			continue;
		wanted++;
		for (size_t k = 0; k < o->n; k++) {
			struct own *own = &o->own[k];

			if (strcmp(own->name, want[i].name) || own->end - own->start != want[i].end - want[i].start)
				continue;
			if (group == GROUP_VDSO ? !own_same_vdso(own->end - own->start, want[i].crc) : !same_page(r, own, want[i].crc))
				return false;
			own->to = want[i].start;
			found++;
		}
	}
	for (size_t k = 0; IS_ON_VDSO_PROXY && k < o->n; k++)
		wanted += in_group(o->own[k].name, group) && !o->own[k].to;
	return found == wanted;
}

static void displace(struct owns *o, enum group group, uint64_t *to)
{
	const struct own *first = first_own(o, group);
	uint64_t end = *to;

	for (size_t i = 0; first && i < o->n; i++) {
		struct own *own = &o->own[i];

		if (!in_group(own->name, group))
			continue;
		own->to = *to + (own->start - first->start);
		end = own->to + (own->end - own->start);
	}
	*to = end;
}

static uint64_t group_len(const struct owns *o, enum group group)
{
	const struct own *first = first_own(o, group);
	uint64_t end = 0;

	for (size_t i = 0; first && i < o->n; i++)
		if (in_group(o->own[i].name, group))
			end = o->own[i].end;
	return first ? end - first->start : 0;
}

/*
 * Free addresses for what has no place of its own: the smallest gap that is large enough, at its upper end.  Where a stack or
 * the heap may want to grow is left alone: below a stack, and what is largest.
 */
static uint64_t free_place(const struct restore *r, const struct mapped *want, size_t n, uint64_t len)
{
	uint64_t best = 0, at = r->area - REBORN_ROOM;

	for (size_t i = 1; i < n; i++) {
		const uint64_t room = want[i].start - want[i - 1].end;

		if (want[i].grows_down || room < len || (best && room >= best) ||
		    (want[i].start - len < r->area + REBORN_ROOM && want[i].start > r->area))
			continue;
		best = room;
		at = want[i].start - len;
	}
	return at;
}

int own_place(struct restore *r, struct owns *o, struct mapped *want, size_t *n)
{
	bool displaced[GROUPS] = { false };
	uint64_t len = 0, at;

	for (enum group group = 0; group < GROUPS; group++) {
		const struct mapped *first = first_wanted(want, *n, group);
		int err;

		const bool clocks = IS_ON_VDSO_PROXY && group == GROUP_VDSO && (r->clock_offset.monotonic || r->clock_offset.boottime);

		if (!first || (fits(r, o, want, *n, group) && !clocks))
			continue;
		if (!IS_ON_VDSO_PROXY)
			return fail(EIMAGE, "this kernel's %s is another than the image's, and this tinyckpt is built without CONFIG_VDSO_PROXY",
				    first->name);
		err = vdso_stand_in(r, want, n, (size_t)(first - want));
		if (err)
			return err;
		displaced[group] = true;
		len += group_len(o, group);
	}
	if (!len)
		return 0;
	at = free_place(r, want, *n, len);
	for (enum group group = 0; group < GROUPS; group++)
		if (displaced[group])
			displace(o, group, &at);
	return 0;
}
