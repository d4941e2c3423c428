/* SPDX-License-Identifier: MIT */
#include "tree/lists.h"

#include "base/error.h"
#include "base/log.h"

int lists_runs(const struct record *rec, Runs *m)
{
	const int err = record_decode(rec, Runs_fields, m);

	if (err)
		return err;
	return m->start_count == m->end_count ? 0 : fail(EIMAGE, "runs of pages: not in pairs");
}

int lists_sigactions(const struct record *rec, Sigactions *m)
{
	const int err = record_decode(rec, Sigactions_fields, m);

	if (err)
		return err;
	if (m->handler_count == m->signal_count && m->flags_count == m->signal_count && m->restorer_count == m->signal_count &&
	    m->mask_count == m->signal_count)
		return 0;
	return fail(EIMAGE, "signal actions: incomplete");
}

int lists_descriptors(const struct record *rec, Descriptors *m)
{
	const int err = record_decode(rec, Descriptors_fields, m);

	if (err)
		return err;
	return m->file_count == m->fd_count && m->cloexec_count == m->fd_count ? 0 : fail(EIMAGE, "descriptors: incomplete");
}
