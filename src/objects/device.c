/* SPDX-License-Identifier: MIT */
/* Character devices: those without state (/dev/null and its kin), and those that a rule wants opened again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "base/error.h"
#include "base/log.h"
#include "base/scope.h"
#include "file.pb.h"
#include "job/restore.h"
#include "job/save.h"
#include "job/verify.h"
#include "objects/file.h"
#include "objects/object.h"
#include "objects/open_flags.h"

/* Documentation/admin-guide/devices.txt: memory devices (major 1): null, zero, full, random, urandom */
static bool stateless(dev_t rdev)
{
	unsigned int minor_ = minor(rdev);

	return major(rdev) == 1 && (minor_ == 3 || minor_ == 5 || minor_ == 7 || minor_ == 8 || minor_ == 9);
}

/* One with a state is opened again when a rule says so, and only then: that state is lost. */
static enum rule_action judge(const struct save *s, const struct opened *o, const struct rule **rule)
{
	*rule = rules_find(s->options->rules, "device", o->path);
	return ACTION_REOPEN;
}

static bool by_rule(const struct save *s, const struct opened *o)
{
	const struct rule *rule;

	return IS_ON_RULES && o->fd >= 0 && judge(s, o, &rule) == ACTION_REOPEN && rule;
}

static bool match(const struct save *s, const struct opened *o)
{
	return S_ISCHR(o->st.st_mode) && !o->deleted && !(o->info.flags & O_PATH) && (stateless(o->st.st_rdev) || by_rule(s, o));
}

static int save(struct save *s, const struct opened *o)
{
	Device m = { .id = save_next_id(s), .flags = o->info.flags & (O_ACCMODE | O_APPEND | O_NONBLOCK), .rdev = o->st.st_rdev,
		     .reopen = IS_ON_RULES && !stateless(o->st.st_rdev) };

	snprintf(m.path, sizeof(m.path), "%s", o->path);
	return SAVE_RECORD(s, RECORD_DEVICE, Device_fields, &m, NULL, 0);
}

static int decode(const struct record *rec, Device *m)
{
	int err = record_decode(rec, Device_fields, m);

	if (!err && (m->path[0] != '/' || !(stateless(m->rdev) || (IS_ON_RULES && m->reopen))))
		err = fail(EIMAGE, "device %u: \"%s\" is none that can be saved", m->id, m->path);
	return err;
}

/* A descriptor or a negative error, said.  A verification looks at it: to open it may start a watchdog, or reset what is behind it. */
static int open_named(const struct verify *v, const Device *m)
{
	const int flags = v ? O_PATH : (int)(m->flags & (O_ACCMODE | O_APPEND | O_NONBLOCK)) | O_NOCTTY;
	CLEANUP_CLOSE int fd = verify_open(v, m->path, flags | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return fail(EIMAGE, "%s: it is missing, and the workload has it open", m->path);
	if (fd < 0 || fstat(fd, &st))
		return fail_errno("%s", m->path);
	/* numbers of devices with a driver of their own are not the same under every kernel */
	if (!S_ISCHR(st.st_mode) || (st.st_rdev != m->rdev && !m->reopen))
		return fail(EIMAGE, "%s: another device has this name now", m->path);
	return scope_keep(&fd);
}

static int restore(struct restore *r, const struct record *rec)
{
	Device m;
	int fd, err = decode(rec, &m);

	if (err)
		return err;
	fd = open_named(NULL, &m);
	return fd < 0 ? fd : world_add(r, fd, m.id);
}

static int verify(struct verify *v, const struct record *rec)
{
	Device m;
	CLEANUP_CLOSE int fd = -1;
	int err = decode(rec, &m);

	if (err)
		return err;
	if (v->here) {
		fd = open_named(v, &m);
		if (fd < 0)
			verify_note(v, fd);
	}
	return verify_id(v, m.id);
}

static void show(const struct record *rec, char *line, size_t cap)
{
	Device m;
	char flags[OPEN_FLAGS_TEXT];

	if (!record_decode(rec, Device_fields, &m))
		snprintf(line, cap, "device %u: %s, %s", m.id, m.path, open_flags_text(m.flags, flags));
}

static const struct object_ops device = {
	.name = "device",
	.records = { RECORD_DEVICE },
	.match = match,
	.check = IF_RULES(file_check),
	.save = save,
	.restore = restore,
	.verify = IF_VERIFY(verify),
	.show = IF_SHOW(show),
	.kind = IF_RULES("device"),
	.actions = IF_RULES(ACTION_BIT(ACTION_REOPEN) | ACTIONS_OF_PATHS),
	.judge = IF_RULES(judge),
};
OBJECT(device);
