/* SPDX-License-Identifier: MIT */
#include "tree/mapped.h"

#include <errno.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "vma.pb.h"

_Static_assert(sizeof(struct mapped) % sizeof(uint64_t) == 0 && sizeof(struct mapped) <= RANGES_WORDS_MAX * sizeof(uint64_t),
	       "struct ranges has whole words, and not more of them");

int mapped_add(struct memory *m, const struct mapped *v)
{
	const int err = v->kind == VmaKind_VDSO ? buffer_append(&m->own, v, sizeof(*v)) : ranges_add(&m->mapped, v, sizeof(*v));

	if (err)
		return fail(ENOMEM, "out of memory");
	m->end = v->end;
	return 0;
}

struct mapped *mapped_own(const struct memory *m, size_t *n)
{
	*n = m->own.len / sizeof(struct mapped);
	return (struct mapped *)(void *)m->own.data;
}

bool mapped_next(const struct memory *m, struct mapped_at *at, struct mapped *v)
{
	size_t n;
	const struct mapped *own = mapped_own(m, &n);

	if (!IS_ON_VDSO_PROXY)	/* nothing stands in for them */
		return ranges_next(&m->mapped, &at->at, v, sizeof(*v));
	if (!at->has)
		at->has = ranges_next(&m->mapped, &at->at, &at->packed, sizeof(at->packed));
	if (at->own < n && (!at->has || own[at->own].start < at->packed.start)) {
		*v = own[at->own++];
		return true;
	}
	*v = at->packed;
	return at->has && !(at->has = false);
}
