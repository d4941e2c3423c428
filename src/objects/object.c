/* SPDX-License-Identifier: MIT */
#include "objects/object.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/scope.h"
#include "config.h"
#include "file.pb.h"
#include "job/save.h"

/* In the order of the files' names, as the Makefile links them: carried has its say before file, inherit_stdio before pipe. */
extern const struct object_ops *const __start_object_table[];
extern const struct object_ops *const __stop_object_table[];

const struct object_ops *object_of_opened(const struct save *s, const struct opened *o)
{
	for (const struct object_ops *const *p = __start_object_table; p < __stop_object_table; p++)
		if ((*p)->match(s, o))
			return *p;
	return NULL;
}

const struct object_ops *object_of_record(uint16_t type)
{
	for (const struct object_ops *const *p = __start_object_table; p < __stop_object_table; p++)
		for (size_t i = 0; i < 2; i++)
			if ((*p)->records[i] == type)
				return *p;
	return NULL;
}

uint32_t object_actions(const char *kind)
{
	uint32_t actions = 0;

	for (const struct object_ops *const *p = __start_object_table; p < __stop_object_table; p++)
		if ((*p)->kind && !strcmp((*p)->kind, kind))
			actions |= (*p)->actions;
	return actions;
}

int object_id(const struct record *rec, uint32_t *id)
{
	PipeData m;	/* the id alone; the decoder passes over all else */
	int err = record_decode(rec, PipeData_fields, &m);

	*id = m.id;
	return err;
}

int object_save_opening(struct save *s, const struct opened *o, File *m,
			int (*write)(struct save *s, const struct opened *o, uint32_t id))
{
	bool known;
	int err = save_carrier(s, o->st.st_dev, o->st.st_ino, &m->of, &known);

	if (!err && !known)
		err = write(s, o, m->of);
	if (err)
		return err;
	m->id = save_next_id(s);
	return SAVE_RECORD(s, RECORD_FILE, File_fields, m, NULL, 0);
}

uint32_t object_file_system(const struct opened *o)
{
	CLEANUP_CLOSE int fd = proc_open(o->access, O_PATH);
	struct statfs fs;

	return fd >= 0 && !fstatfs(fd, &fs) ? (uint32_t)fs.f_type : 0;
}

bool object_is_mqueue(const struct opened *o)
{
	enum { MQUEUE_MAGIC = 0x19800202 };	/* ipc/mqueue.c */

	return strrchr(o->path, '/') == o->path && object_file_system(o) == MQUEUE_MAGIC;
}

static const char *lacking(int have, const char *toggle)
{
	return have ? NULL : toggle;
}

const char *object_describe(const struct opened *o, char *text, size_t cap)
{
	const char *what = "a file of an unknown kind", *toggle = NULL;

	switch (o->st.st_mode & S_IFMT) {
	case S_IFSOCK:
		what = "a socket";
		break;
	case S_IFIFO:
		what = "a pipe or FIFO";
		toggle = lacking(IS_ON_PIPE, "CONFIG_PIPE");
		break;
	case S_IFCHR:
		what = "a device";
		toggle = lacking(IS_ON_DEVICE, "CONFIG_DEVICE");
		break;
	case S_IFBLK:
		what = "a block device";
		break;
	case S_IFREG:
		what = "a file";
		if (o->deleted) {
			what = "an unlinked file";
			toggle = lacking(IS_ON_UNLINKED, "CONFIG_UNLINKED");
		}
		if (IS_ON_UNLINKED && !strncmp(o->path, "/memfd:", 7))
			what = "a memfd";
		else if (IS_ON_UNLINKED && !strcmp(o->path, "/secretmem"))
			what = "secret memory";
		else if (IS_ON_UNLINKED && object_is_mqueue(o))
			what = "a message queue";
		else if (IS_ON_UNLINKED && o->deleted && object_file_system(o) == PROC_SUPER_MAGIC)
			what = "what /proc tells of a process";
		break;
	case S_IFDIR:
		if (IS_ON_UNLINKED)
			what = "a directory that was removed";
		break;
	default:
		if (!strncmp(o->path, "anon_inode:", 11))
			what = "a kernel object";
		if (!strcmp(o->path, "anon_inode:[timerfd]"))
			toggle = lacking(IS_ON_TIMERFD, "CONFIG_TIMERFD");
		if (!strcmp(o->path, "anon_inode:[eventfd]"))
			toggle = lacking(IS_ON_EVENTFD, "CONFIG_EVENTFD");
	}
	snprintf(text, cap, "%s (%.200s): %s%s", what, o->path, toggle ? "this tinyckpt was built without " : "not supported",
		 toggle ? toggle : "");
	return text;
}
