/* SPDX-License-Identifier: MIT */
#include "job/verify.h"

#include <errno.h>

#include "base/error.h"
#include "base/log.h"

void verify_note(struct verify *v, int err)
{
	if (err == -EEXIST)
		v->busy++;
	else
		v->foreign++;
}

int verify_id(struct verify *v, uint32_t id)
{
	if (id != v->last_id + 1)
		return fail(EIMAGE, "open file %u: not in its place, %u is due", id, v->last_id + 1);
	v->last_id = id;
	return 0;
}

bool verify_known(const struct verify *v, uint32_t id)
{
	return id && id <= v->last_id;
}
