/* SPDX-License-Identifier: MIT */
#include "tree/resource.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/log.h"
#include "objects/object.h"

static const char *kind_of(const struct opened *o, const struct object_ops *ops)
{
	if (S_ISDIR(o->st.st_mode))
		return "directory";
	if (ops)
		return ops->name;
	return S_ISSOCK(o->st.st_mode) ? "socket" : S_ISCHR(o->st.st_mode) ? "device" : S_ISREG(o->st.st_mode) ? "file" : "object";
}

static bool is_in_memory(const struct opened *o)
{
	struct statfs fs;

	return S_ISREG(o->st.st_mode) && !o->deleted && !statfs(o->path, &fs) &&
	       ((uint32_t)fs.f_type == TMPFS_MAGIC || (uint32_t)fs.f_type == RAMFS_MAGIC);
}

int resource_note(struct save *s, const struct opened *o, bool refused)
{
	const struct object_ops *ops = object_of_opened(s, o);
	const struct rule *rule = NULL;
	enum rule_action action = ops && ops->judge ? ops->judge(s, o, &rule) : ACTION_KEEP;
	const uint32_t align = _Alignof(struct resource), path = (uint32_t)strlen(o->path) + 1;
	const uint32_t size = ((uint32_t)sizeof(struct resource) + path + align - 1) & ~(align - 1);
	struct resource *r;

	if (o->fd < 0 && !rule)
		return 0;
	r = buffer_grow(s->resources, size);
	if (!r)
		return fail(ENOMEM, "out of memory");
	r->size = size;
	r->pid = o->pid;
	r->fd = o->fd < 0 ? -1 : o->fd;
	r->kind = kind_of(o, ops);
	r->action = refused ? "refuse" : rule_action_name(action);
	r->rule = rule;
	r->in_memory = !refused && (action == ACTION_EXACT || action == ACTION_GROW) && is_in_memory(o);
	snprintf(r->what, sizeof(r->what), "%s", o->what);
	memcpy(r->path, o->path, path);
	return 0;
}

const struct resource *resource_next(const struct buffer *resources, const struct resource *r)
{
	const uint8_t *next = r ? (const uint8_t *)r + r->size : resources->data;

	return next && next < resources->data + resources->len ? (const struct resource *)(const void *)next : NULL;
}
