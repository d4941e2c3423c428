/* SPDX-License-Identifier: MIT */
/* Files that may have changed until the restore, as rules allow it (objects/rules.h). */
#ifndef TINYCKPT_OBJECTS_CHANGED_H
#define TINYCKPT_OBJECTS_CHANGED_H

#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "objects/rules.h"

/* What is to become of a file or directory that the workload has open or mapped, and the rule that says so, or NULL. */
enum rule_action changed_judge(const struct save *s, const struct opened *o, const struct rule **rule);

/* Puts what RULES say of a file of an image into m->action.  0 or -EIMAGE, said. */
int changed_override(const struct rules *rules, File *m);

/* Whether m->action takes a file as it is now.  0 or -EIMAGE, said. */
int changed_allowed(const File *m, const struct stat *st);

/* Makes a file that is missing, empty, as file_open() would open it. */
int changed_create(struct restore *r, const struct verify *v, const File *m);

/* Where the descriptor goes in the file that it has become: m->pos.  0 or a negative errno, said. */
int changed_position(int fd, File *m);

/* A file that this restore made. */
struct remade {
	uint32_t id;		/* of the carrier: its descriptors' action is this one; 0: of none */
	uint8_t action;
	int64_t mtime_s;	/* that it will have, if it takes a name */
	uint32_t mtime_ns;
	char *name;		/* that it has; removed if the restore fails; NULL: it was there before */
	char *target;		/* that it takes when everything has succeeded, or has; or NULL */
};

/* Takes over the texts, also on failure.  0 or a negative errno, said. */
int changed_note(struct restore *r, struct remade *made);

/* The action for descriptors of a carrier, and by which name it can be opened now (NULL: by none). */
enum rule_action changed_carrier(const struct restore *r, uint32_t id, const char **name);

/* At the end, when nothing else can fail: all take their names.  0 or a negative errno, said. */
int changed_commit(struct restore *r);

/* The restore has failed: what was made is removed. */
void changed_abandon(struct restore *r);

#endif
