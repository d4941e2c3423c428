/* SPDX-License-Identifier: MIT */
/*
 * One kernel object, one file: src/objects/NAME.c, its messages in proto/, its toggle CONFIG_NAME.
 *
 * Whatever a tree reaches the outside by (a descriptor, a mapped file, a directory that it stands in) is an `opened`.
 * Each open file description, whoever shares it, gets one id; restore opens each once, in the order of the ids.
 */
#ifndef TINYCKPT_OBJECTS_OBJECT_H
#define TINYCKPT_OBJECTS_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "file.pb.h"
#include "image/reader.h"
#include "job/opened.h"
#include "objects/rules.h"

struct save;
struct restore;
struct verify;

enum record_objects {
	RECORD_FILE = 40,
	RECORD_UNLINKED = 41,
	RECORD_CONTENTS = 42,
	RECORD_PIPE = 43,
	RECORD_DEVICE = 44,
	RECORD_INHERITED = 45,
	RECORD_PIPE_DATA = 46,
	RECORD_EMBEDDED = 47,
	RECORD_TIMERFD = 48,
	RECORD_EVENTFD = 49,
	RECORD_SNAPSHOT = 50,
};

struct object_ops {
	const char *name;
	uint16_t records[2];	/* types of records that restore() takes */

	/* Is it mine?  The first object that says so has it. */
	bool (*match)(const struct save *s, const struct opened *o);

	/* Names what stands in the way, by obstacle(); may be NULL. */
	void (*check)(struct save *s, const struct opened *o);

	/*
	 * Writes what restore() needs to open it.  Its id is the one that save_next_id() gave last: what it stands on
	 * (a pipe, an unlinked file) is written, and numbered, before it.  0 or a negative errno, said.
	 */
	int (*save)(struct save *s, const struct opened *o);

	/* Opens it and gives it to world_add().  The record is hostile. */
	int (*restore)(struct restore *r, const struct record *rec);

	/*
	 * Checks a record as restore() would: takes its ids by verify_id(), and, when v->here, notes by verify_note() what
	 * this machine lacks.  Changes nothing.  0 or -EIMAGE (the image is damaged), said.
	 */
	int (*verify)(struct verify *v, const struct record *rec);

	/* One line of text for `show`, without the newline. */
	void (*show)(const struct record *rec, char *line, size_t cap);

	/* Rules of this kind speak of it: the actions that it knows, ACTION_BIT() each.  NULL: none do. */
	const char *kind;
	uint32_t actions;

	/* What will become of it, and the rule that says so (*rule; NULL: none does).  NULL: it is kept. */
	enum rule_action (*judge)(const struct save *s, const struct opened *o, const struct rule **rule);
};

/* Operations of commands that may be left out: without the command they vanish. */
#define IF_SHOW(function) (IS_ON_CMD_SHOW ? (function) : NULL)
#define IF_VERIFY(function) (IS_ON_CMD_VERIFY ? (function) : NULL)

/* The linker collects the objects that were built in. */
#define OBJECT(ops) \
	static const struct object_ops *const ops##_entry __attribute__((used, section("object_table"))) = &ops

const struct object_ops *object_of_opened(const struct save *s, const struct opened *o);
const struct object_ops *object_of_record(uint16_t type);

/* All actions that rules of this kind may name, or 0.  With ACTIONS_OF_PATHS, what they are about has a path. */
uint32_t object_actions(const char *kind);
#define ACTIONS_OF_PATHS ACTION_BIT(31)

/* The id in an object's record: every message of proto/file.proto has it as its first field.  0 or -EIMAGE, said. */
int object_id(const struct record *rec, uint32_t *id);

/*
 * Writes the opening m of what other openings may be of as well: a pipe, or a file whose content travels.  write() writes that one,
 * under its id, the first time.  0 or a negative errno, said.
 */
int object_save_opening(struct save *s, const struct opened *o, File *m,
			int (*write)(struct save *s, const struct opened *o, uint32_t id));

/* The file system that it is on, as statfs(2) has it (f_type); 0: not known. */
uint32_t object_file_system(const struct opened *o);

/* Message queues are told without their mount: /NAME, and look like files there, or like unlinked ones. */
bool object_is_mqueue(const struct opened *o);

/* What it is, in words, and which toggle it would take. */
const char *object_describe(const struct opened *o, char *text, size_t cap);

#endif
