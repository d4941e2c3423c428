/* SPDX-License-Identifier: MIT */
#include "service/conf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"

enum {
	FILE_MAX = 16 * 1024,
	SETTLE_SECONDS = 2,
	TIMEOUT_SECONDS = 120,
	SECONDS_MAX = 24 * 3600,
};

static const char SUFFIX[] = ".conf";

/* What a file is being read for. */
struct reading {
	struct service *service;
	const struct option *save, *restore;
	unsigned int line;
	struct buffer keys; /* of the lines so far, each with its end */
};

/* Says what is wrong with the line at hand. */
#define bad(r, fmt, ...) fail(EUSAGE, "%s%s:%u: " fmt, (r)->service->name, SUFFIX, (r)->line, __VA_ARGS__)

/* Part of file names, of images too: no other folder, nothing hidden, no surprise for a shell. */
static bool is_name(const char *name, size_t len)
{
	if (!len || len > SERVICE_NAME_MAX || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._@-", name[i]))
			return false;
	return true;
}

/* Whoever may write it decides what root runs and saves. */
static int check_writers(int fd, const char *name, struct stat *st)
{
	if (fstat(fd, st))
		return fail_errno("%s", name);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return fail(EUSAGE, "%s: it belongs to user %u", name, (unsigned int)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return fail(EUSAGE, "%s: others may write it: chmod go-w", name);
	return 0;
}

static int seconds(const struct reading *r, const char *key, const char *value, unsigned int *to)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)*value) || *end || n > SECONDS_MAX)
		return bad(r, "%s=%s: a number of seconds is needed, at most %u", key, value, (unsigned int)SECONDS_MAX);
	*to = (unsigned int)n;
	return 0;
}

/* Those that say what to save and where to, which is not for a file to say; the common ones are not in the table. */
static bool is_reserved(const char *name)
{
	static const char *const reserved[] = { "output", "name", "leave-running", "detach" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcmp(name, reserved[i]))
			return true;
	return false;
}

static const struct option *option_named(const struct option *options, const char *name)
{
	for (; options->name; options++)
		if (!strcmp(options->name, name) && !is_reserved(name))
			return options;
	return NULL;
}

/* Whichever of two lines won, one of them would be taken unsaid. */
static int note_key(struct reading *r, const char *key)
{
	for (size_t i = 0; i < r->keys.len; i += strlen((const char *)r->keys.data + i) + 1)
		if (!strcmp((const char *)r->keys.data + i, key))
			return bad(r, "%s= stands here twice", key);
	return buffer_append(&r->keys, key, strlen(key) + 1) ? fail(ENOMEM, "out of memory") : 0;
}

/* --KEY=VALUE, or --KEY where the value is yes and the option needs none; nothing where it is no. */
static int add_option(const struct reading *r, struct buffer *to, const struct option *option, const char *value)
{
	const bool yes = !strcmp(value, "yes"), bare = option->has_arg != required_argument;
	int err;

	if (bare && !strcmp(value, "no"))
		return 0;
	if (option->has_arg == no_argument && !yes)
		return bad(r, "%s=%s: yes or no is needed", option->name, value);
	err = buffer_append(to, "--", 2) ?: buffer_append(to, option->name, strlen(option->name));
	if (!err && !(bare && yes))
		err = buffer_append(to, "=", 1) ?: buffer_append(to, value, strlen(value));
	return err || buffer_append(to, "", 1) ? fail(ENOMEM, "out of memory") : 0;
}

static int set(struct reading *r, const char *key, const char *value)
{
	struct service *s = r->service;
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{ "pidfile", &s->pidfile }, { "command", &s->command }, { "cgroup", &s->cgroup },
		{ "unit", &s->unit },	    { "start", &s->start },
	};
	const struct option *save, *restore;
	int err = note_key(r, key);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (strcmp(texts[i].key, key))
			continue;
		if (!*value)
			return bad(r, "%s= is empty", key);
		*texts[i].to = value;
		return 0;
	}
	if (!strcmp(key, "settle"))
		return seconds(r, key, value, &s->settle);
	if (!strcmp(key, "timeout"))
		return seconds(r, key, value, &s->timeout);
	save = option_named(r->save, key);
	restore = option_named(r->restore, key);
	if (!save && !restore)
		return bad(r, "there is no key \"%s\"", key);
	if (save)
		err = add_option(r, &s->save, save, value);
	if (!err && restore)
		err = add_option(r, &s->restore, restore, value);
	return err;
}

/* Without the blanks at both ends; ends the text behind. */
static char *trim(char *text, char *end)
{
	while (text < end && isblank((unsigned char)*text))
		text++;
	while (end > text && isblank((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* A comment behind a value; that of a line for the shell is the shell's. */
static char *comment(char *value)
{
	char *c = value;

	while ((c = strchr(c, '#')) && c > value && !isblank((unsigned char)c[-1]))
		c++;
	return c ? c : strchr(value, '\0');
}

static int parse_line(struct reading *r, char *line, char *end)
{
	char *equals, *key, *value;

	line = trim(line, end);
	if (!*line || *line == '#')
		return 0;
	for (const char *c = line; *c; c++)
		if (iscntrl((unsigned char)*c) && *c != '\t')
			return bad(r, "a control character%s", "");
	equals = strchr(line, '=');
	if (!equals)
		return bad(r, "\"%s\": key=value is needed", line);
	key = trim(line, equals);
	value = equals + 1;
	return set(r, key, trim(value, strcmp(key, "start") ? comment(value) : strchr(value, '\0')));
}

/* What the lines together must say. */
static int check_whole(const struct service *s)
{
	const int ways = !!s->pidfile + !!s->cgroup + !!s->unit + (s->command && !s->pidfile);

	if (ways != 1)
		return fail(EUSAGE, "%s%s: one of pidfile=, command=, cgroup= and unit= is needed, and no two but pidfile= with command=",
			    s->name, SUFFIX);
	if ((s->pidfile && *s->pidfile != '/') || (s->cgroup && *s->cgroup != '/'))
		return fail(EUSAGE, "%s%s: pidfile= and cgroup= begin with a slash", s->name, SUFFIX);
	return 0;
}

static int read_file(int directory, struct service *s, const char *file, size_t *len)
{
	/* not blocking: it may be a FIFO */
	CLEANUP_CLOSE int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;
	int err;

	if (fd < 0 && errno == ELOOP)
		return fail(EUSAGE, "%s: is a symbolic link, which is not followed", file);
	if (fd < 0)
		return fail_errno("%s", file);
	err = check_writers(fd, file, &st);
	if (err)
		return err;
	if (!S_ISREG(st.st_mode))
		return fail(EUSAGE, "%s: is not a regular file", file);
	s->text = malloc(FILE_MAX + 1);
	if (!s->text)
		return fail(ENOMEM, "out of memory");
	err = read_upto(fd, s->text, FILE_MAX + 1, len);
	if (err)
		return fail_for(err, "%s", file);
	if (*len > FILE_MAX)
		return fail(EUSAGE, "%s: is larger than %u bytes", file, (unsigned int)FILE_MAX);
	if (memchr(s->text, '\0', *len))
		return fail(EUSAGE, "%s: is no text", file);
	s->text[*len] = '\0';
	return 0;
}

static int read_service(int directory, struct reading *r, const char *file)
{
	size_t len = 0;
	int err = read_file(directory, r->service, file, &len);
	char *line = r->service->text, *end;

	for (char *last = err ? NULL : line + len; !err && line < last; line = end + 1) {
		end = memchr(line, '\n', (size_t)(last - line));
		if (!end)
			end = last;
		r->line++;
		err = parse_line(r, line, end);
	}
	buffer_free(&r->keys);
	return err ? err : check_whole(r->service);
}

/* Keeps the order of names; few as they are, each is moved to its place. */
static struct service *insert(struct buffer *services, const char *name, size_t len)
{
	struct service new = { .settle = SETTLE_SECONDS, .timeout = TIMEOUT_SECONDS }, *all;
	size_t i = services->len / sizeof(new);

	memcpy(new.name, name, len);
	if (!buffer_grow(services, sizeof(new)))
		return NULL;
	all = (struct service *)(void *)services->data;
	for (; i > 0 && strcmp(all[i - 1].name, new.name) > 0; i--)
		all[i] = all[i - 1];
	all[i] = new;
	return &all[i];
}

int services_read(struct buffer *services, const char *dir, const char *only, const struct option *save,
		  const struct option *restore)
{
	const size_t suffix = strlen(SUFFIX);
	CLEANUP_DIR DIR *entries = opendir(dir);
	struct dirent *entry;
	struct stat st;
	int err;

	if (!entries)
		return errno == ENOENT && !only ? 0 : fail_errno("%s", dir);
	err = check_writers(dirfd(entries), dir, &st);
	if (err)
		return err;
	errno = 0;
	while ((entry = readdir(entries))) {
		const size_t len = strlen(entry->d_name);
		struct reading r = { .save = save, .restore = restore };

		if (len <= suffix || entry->d_name[0] == '.' || strcmp(entry->d_name + len - suffix, SUFFIX))
			continue;
		if (!is_name(entry->d_name, len - suffix)) {
			if (!only)
				log_warning("%s: not looked at: the name of a service is of letters, digits and ._@-, at most %u",
					    entry->d_name, SERVICE_NAME_MAX);
			continue;
		}
		if (only && (strlen(only) != len - suffix || strncmp(only, entry->d_name, len - suffix)))
			continue;
		r.service = insert(services, entry->d_name, len - suffix);
		if (!r.service)
			return fail(ENOMEM, "out of memory");
		r.service->err = read_service(dirfd(entries), &r, entry->d_name);
		errno = 0;
	}
	if (errno)
		return fail_errno("%s", dir);
	return only && !services->len ? fail(EUSAGE, "there is no %s/%s%s", dir, only, SUFFIX) : 0;
}

void services_free(struct buffer *services)
{
	struct service *s = (struct service *)(void *)services->data;

	for (size_t i = 0; i < services->len / sizeof(*s); i++) {
		free(s[i].text);
		buffer_free(&s[i].save);
		buffer_free(&s[i].restore);
	}
	buffer_free(services);
}

int64_t services_longest(const char *dir, const struct option *save, const struct option *restore)
{
	struct buffer all = { 0 };
	const struct service *s;
	struct said unsaid = { 0 };
	int64_t sum = 0;

	log_keep(&unsaid);
	(void)services_read(&all, dir, NULL, save, restore);
	log_keep(NULL);
	s = (const struct service *)(const void *)all.data;
	for (size_t i = 0; i < all.len / sizeof(*s); i++)
		sum += ((s[i].timeout ?: SECONDS_MAX) + s[i].settle + 1) * 1000LL;
	services_free(&all);
	return sum;
}

const char *service_restore_option(const struct service *s, const char *name)
{
	const char *option = (const char *)s->restore.data, *value = NULL;
	const size_t len = strlen(name);

	for (; option && option < (const char *)s->restore.data + s->restore.len; option += strlen(option) + 1)
		if (!strncmp(option, name, len) && (!option[len] || option[len] == '='))
			value = option + len + !!option[len];
	return value;
}
