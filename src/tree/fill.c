/* SPDX-License-Identifier: MIT */
#include "tree/fill.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "image/behind.h"
#include "kernel/task_memory.h"
#include "tree/install.h"

enum {
	FILL_FROM = 32,	/* lots that are worth a thread */
	PLACES = 8,	/* one that is free, one that the thread works on, and what it has to do while the next process is made */
};

struct lot {
	pid_t pid;
	struct record record;
	size_t n;
	int uffd;
	struct iovec there[FILL_PLACES_MAX];
};

struct filler {
	struct behind *behind;
	const struct image_reader *image;
	_Atomic uint64_t failed_at;	/* the record that was at fault, the last if there are more */
	struct lot lots[PLACES];
	uint8_t work[BEHIND_WORKERS][READER_WORK];	/* the reader's own body is of a record that may be at work */
};

static int fill_lot(void *arg, unsigned int place, enum behind_who who)
{
	struct filler *f = arg;
	struct lot *lot = &f->lots[place];
	struct iovec here[FILL_PLACES_MAX];
	int err = image_read_body(f->image, &lot->record, f->work[who]);
	const uint8_t *from = lot->record.body;

	for (size_t i = 0; !err && i < lot->n; i++) {
		here[i] = (struct iovec){ (void *)(uintptr_t)from, lot->there[i].iov_len };
		from += here[i].iov_len;
	}
	if (!err)
		err = IS_ON_INSTALL_PAGES ? install_pages(lot->uffd, lot->pid, here, lot->there, lot->n)
					  : task_move(lot->pid, TASK_WRITE, here, lot->there, lot->n);
	if (err)
		f->failed_at = lot->record.offset;
	return err;
}

/* Not by /proc/PID/mem, which is for one thread alone. */
static void start(struct restore *r)
{
	struct filler *f;

	if (r->image.stream || !CPU_COUNT(&r->others) || !task_move_by_call())
		return;
	f = calloc(1, sizeof(*f));
	if (!f)
		return;
	f->image = &r->image;
	f->behind = behind_start(fill_lot, NULL, f, PLACES, &r->others);
	if (f->behind)
		r->filler = f;
	else
		free(f);
}

bool fill_wanted(struct restore *r)
{
	if (r->lots == FILL_FROM && !r->filler)
		start(r);
	return r->filler;
}

void fill_behind(struct restore *r, const struct record *rec, const struct iovec *there, size_t n)
{
	struct lot *lot = &r->filler->lots[behind_place(r->filler->behind)];

	*lot = (struct lot){ .pid = r->pid, .record = *rec, .n = n, .uffd = r->memory.uffd };
	memcpy(lot->there, there, n * sizeof(*there));
	behind_give(r->filler->behind);
}

unsigned int fill_lots(const struct restore *r)
{
	return r->filler ? behind_given(r->filler->behind) : 0;
}

int fill_wait(struct restore *r, unsigned int lots)
{
	int err = r->filler ? behind_wait_for(r->filler->behind, lots) : 0;
	const uint64_t at = err ? r->filler->failed_at : 0;

	if (err == -EIMAGE)
		return fail(EIMAGE, "record of pages at byte %" PRIu64 ": its body is damaged", at);
	return err ? fail_for(err, "filling memory from the record at byte %" PRIu64, at) : 0;
}
