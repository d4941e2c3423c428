/* SPDX-License-Identifier: MIT */
#include "objects/changed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/path.h"
#include "base/scope.h"
#include "objects/content.h"
#include "objects/file.h"

/* Its content is on its way, for a descriptor of it. */
static bool is_carried(const struct save *s, const struct opened *o)
{
	const struct carrier *c = (const struct carrier *)(void *)s->carriers.data;
	size_t n = s->carriers.len / sizeof(*c);

	while (n && (c->dev != o->st.st_dev || c->ino != o->st.st_ino))
		n--, c++;
	return n;
}

/* What is mapped and cannot be written to through that, as programs and libraries are, is no matter of rules. */
static bool is_ruled(const struct save *s, const struct opened *o)
{
	return !o->mapped || (o->info.flags & O_ACCMODE) == O_RDWR || is_carried(s, o);
}

/*
 * Whoever opens a file to append to it, and not to read it, reckons with others who do the same: it may have grown.  All else
 * is a matter of rules, and of directories and names (O_PATH) there is nothing to be compared.
 */
enum rule_action changed_judge(const struct save *s, const struct opened *o, const struct rule **rule)
{
	*rule = NULL;
	if (!S_ISREG(o->st.st_mode) || o->deleted)
		return ACTION_REOPEN;
	*rule = rules_find(s->options->rules, "file", o->path);
	if (*rule && (*rule)->action == ACTION_SNAPSHOT && is_ruled(s, o))
		return ACTION_SNAPSHOT;
	if (*rule && !o->mapped && !(o->info.flags & O_PATH))
		return (*rule)->action;
	*rule = NULL;	/* pages of a mapping are derived from what the file was */
	if (o->info.flags & O_PATH)
		return ACTION_REOPEN;
	return !o->mapped && (o->info.flags & (O_ACCMODE | O_APPEND)) == (O_WRONLY | O_APPEND) ? ACTION_GROW : ACTION_EXACT;
}

int changed_override(const struct rules *rules, File *m)
{
	const struct rule *rule;

	if (m->action > ACTION_RECREATE)
		return fail(EIMAGE, "file %u: an unknown action %u", m->id, m->action);
	if (m->mapped || m->flags & O_PATH || !S_ISREG(m->mode))
		return 0;
	rule = rules_find(rules, "file", m->path);
	if (rule && rule->action == ACTION_SNAPSHOT)
		return fail(EIMAGE, "%s: its content is not in the image: %s:%u comes too late", m->path, rules->path, rule->line);
	if (rule)
		m->action = rule->action;
	return 0;
}

int changed_allowed(const File *m, const struct stat *st)
{
	if (m->action != ACTION_GROW || (uint64_t)st->st_size >= m->size)
		return 0;
	return fail(EIMAGE, "%s: it has shrunk since the save: %" PRIu64 " bytes then, %lld now (a rule may allow that)", m->path, m->size,
		    (long long)st->st_size);
}

static const char *directory_of(const char *path, char *directory, size_t cap)
{
	const char *slash = strrchr(path, '/');

	snprintf(directory, cap, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return directory;
}

static int cannot_create(const File *m, int err)
{
	return fail(EIMAGE, "%s: it is missing, and cannot be made anew: %s", m->path, strerror(err));
}

int changed_create(struct restore *r, const struct verify *v, const File *m)
{
	struct remade made = { 0 };
	char directory[sizeof(m->path)];
	CLEANUP_CLOSE int fd = -1;
	int err;

	if (!r) {
		fd = verify_open(v, m->path, O_PATH | O_NOFOLLOW);
		if (fd >= 0)	/* a symbolic link to nowhere */
			return cannot_create(m, EEXIST);
		fd = verify_open(v, directory_of(m->path, directory, sizeof(directory)), O_PATH | O_DIRECTORY);
		if (fd < 0 || (!v->root && faccessat(fd, ".", W_OK, 0)))	/* read-only, say */
			return cannot_create(m, errno);
		return scope_keep(&fd);
	}
	fd = path_open(m->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cannot_create(m, errno);
	log_info("%s: it was missing: made anew, empty", m->path);
	made.name = strdup(m->path);
	err = made.name ? changed_note(r, &made) : fail(ENOMEM, "out of memory");
	if (err) {
		path_unlink(m->path);
		return err;
	}
	if (fchown(fd, m->uid, m->gid) || fchmod(fd, m->mode & 07777))
		return fail_errno("%s: its owner and mode", m->path);
	return file_open(r, NULL, m);
}

int changed_position(int fd, File *m)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail_errno("%s", m->path);
	if ((uint64_t)st.st_size == m->size && content_mtime(&st) == m->mtime_ns)
		return 0;
	if (m->action == ACTION_APPEND || (m->action == ACTION_RECREATE && m->pos > (uint64_t)st.st_size))
		m->pos = (uint64_t)st.st_size;
	return 0;
}

int changed_note(struct restore *r, struct remade *made)
{
	if (!buffer_append(&r->remade, made, sizeof(*made)))
		return 0;
	free(made->name);
	free(made->target);
	return fail(ENOMEM, "out of memory");
}

static struct remade *remade(const struct restore *r, size_t *n)
{
	*n = r->remade.len / sizeof(struct remade);
	return (struct remade *)(void *)r->remade.data;
}

enum rule_action changed_carrier(const struct restore *r, uint32_t id, const char **name)
{
	size_t n;
	const struct remade *made = remade(r, &n);

	for (; n && made->id != id; n--)
		made++;
	*name = !n ? NULL : made->name ? made->name : made->target;
	return n ? made->action : ACTION_EXACT;
}

/* On disk before it takes the name of what it replaces, so that a power cut leaves one of them, whole. */
static int take_name(struct restore *r, struct remade *made)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { made->mtime_s, made->mtime_ns } };
	int fd = world_fd(r, made->id);
	const char *from, *to;
	CLEANUP_CLOSE int parent = path_parent(made->target, &to);

	/* they lie in one directory */
	from = strrchr(made->name, '/') + 1;
	if (parent < 0 || futimens(fd, times) || fsync(fd) || renameat(parent, from, parent, to))
		return fail_errno("%s: giving it back its content", made->target);
	free(made->name);
	made->name = NULL;
	return 0;
}

int changed_commit(struct restore *r)
{
	size_t n;
	struct remade *made = remade(r, &n);
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		if (made[i].name && made[i].target)
			err = take_name(r, &made[i]);
	return err;
}

void changed_abandon(struct restore *r)
{
	size_t n;
	struct remade *made = remade(r, &n);

	for (size_t i = 0; i < n; i++)
		if (made[i].name)
			path_unlink(made[i].name);
}
