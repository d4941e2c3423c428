/* SPDX-License-Identifier: MIT */
#include "service/outline.h"

#include <errno.h>

#include "base/error.h"
#include "base/log.h"
#include "image/reader.h"
#include "tree/records.h"

/* Goes on to the first record of that type. */
static int next(struct image_reader *image, uint16_t type, const pb_msgdesc_t *fields, void *message)
{
	struct record rec;
	int err;

	while ((err = image_next(image, &rec)) > 0)
		if (rec.type == type)
			return record_decode(&rec, fields, message);
	return err ? err : fail(EIMAGE, "incomplete: a record of type %u is missing", type);
}

static int processes(struct image_reader *image, void (*each)(void *arg, uint32_t pid), void *arg)
{
	struct record rec;
	Process m;
	int err;

	while ((err = image_next(image, &rec)) > 0) {
		if (rec.type != RECORD_PROCESS)
			continue;
		err = record_decode(&rec, Process_fields, &m);
		if (err)
			return err;
		each(arg, m.pid);
	}
	return err;
}

static int read_records(struct image_reader *image, struct outline *o, void (*each)(void *arg, uint32_t pid), void *arg)
{
	int err = next(image, RECORD_HEADER, Header_fields, &o->header);

	if (!err)
		err = next(image, RECORD_TREE, Tree_fields, &o->tree);
	return err || !each ? err : processes(image, each, arg);
}

int outline_read(struct outline *o, const char *path, const char *key, void (*each)(void *arg, uint32_t pid), void *arg)
{
	struct image_reader image;
	int err = image_open(&image, path, key);

	if (err)
		return err;
	image.skip_bodies = true;
	{
		CONTEXT("%s", path);
		err = o->restorable ? image_check_newest(&image) : 0;
		if (!err)
			err = read_records(&image, o, each, arg);
	}
	image_close(&image);
	return err;
}
