/* SPDX-License-Identifier: MIT */
#include "objects/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/glob.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"
#include "objects/object.h"

enum { FILE_MAX = 64 * 1024, LINE_MAX_ = 2047 };

static const char *const action_names[ACTIONS] = { "exact", "grow", "append", "recreate", "snapshot", "reopen", "keep" };

const char *rule_action_name(enum rule_action action)
{
	return (unsigned int)action < ACTIONS ? action_names[action] : "?";
}

/* Each line of the file is taken apart in place: words end at blanks, `#` begins a comment where a word could. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t"), *end = word;

	if (!*word || *word == '#')
		return NULL;
	while (*end && *end != ' ' && *end != '\t')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static void list_actions(uint32_t actions, char *text, size_t cap)
{
	size_t len = 0;

	for (unsigned int i = 0; i < ACTIONS; i++)
		if (actions & ACTION_BIT(i) && len < cap)
			len += (size_t)snprintf(text + len, cap - len, "%s%s", len ? ", " : "", action_names[i]);
}

static int wrong(const struct rules *rules, uint32_t line, const char *what, const char *word)
{
	return fail(EUSAGE, "%s:%u: %s%.200s", rules->path, line, what, word);
}

static int parse_line(struct rules *rules, char *text, uint32_t line)
{
	const char *kind = next_word(&text), *pattern = kind ? next_word(&text) : NULL, *action = pattern ? next_word(&text) : NULL;
	struct rule rule = { .kind = kind, .pattern = pattern, .line = line };
	uint32_t actions;
	char allowed[128];
	const char *why;

	if (!kind)
		return 0;
	if (!action || next_word(&text))
		return wrong(rules, line, "a rule is a kind, a pattern and an action", "");
	actions = object_actions(kind);
	if (!actions)
		return wrong(rules, line, "this tinyckpt knows no rules for ", kind);
	why = glob_error(pattern);
	if (why)
		return wrong(rules, line, why, "");
	if (actions & ACTIONS_OF_PATHS && !strchr("/*?[", *pattern))
		return wrong(rules, line, "a path begins with /: ", pattern);
	while (rule.action < ACTIONS && (strcmp(action_names[rule.action], action) || !(actions & ACTION_BIT(rule.action))))
		rule.action++;
	if (rule.action == ACTIONS) {
		list_actions(actions, allowed, sizeof(allowed));
		return fail(EUSAGE, "%s:%u: \"%.100s\" is no action for %s: %s", rules->path, line, action, kind, allowed);
	}
	return buffer_append(&rules->list, &rule, sizeof(rule)) ? fail(ENOMEM, "out of memory") : 0;
}

static int parse(struct rules *rules)
{
	char *at = (char *)rules->text.data, *end = at + rules->text.len;
	int err = 0;

	for (uint32_t line = 1; !err && at < end; line++) {
		char *next = memchr(at, '\n', (size_t)(end - at));

		next = next ? next : end;	/* behind which there is a NUL */
		*next = '\0';
		if (strlen(at) != (size_t)(next - at))
			err = wrong(rules, line, "a NUL byte", "");
		else if (next - at > LINE_MAX_)
			err = wrong(rules, line, "a line of more than 2047 bytes", "");
		else
			err = parse_line(rules, at, line);
		at = next + 1;
	}
	return err;
}

/* Rules decide what root does: only root, or who runs this, may write them. */
static int check_owner(const struct rules *rules, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return fail(EUSAGE, "%s: rules are read from a regular file", rules->path);
	if (st->st_uid && st->st_uid != geteuid())
		return fail(EUSAGE, "%s: it belongs to user %u, who could change the rules: not used", rules->path, st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return fail(EUSAGE, "%s: others than its owner could change the rules (mode %o): not used", rules->path,
			    st->st_mode & 07777);
	if (st->st_size > FILE_MAX)
		return fail(EUSAGE, "%s: larger than 64 KiB", rules->path);
	return 0;
}

int rules_read(struct rules *rules, const char *path)
{
	CLEANUP_CLOSE int fd = open(path ? path : RULES_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	size_t len;
	int err;

	*rules = (struct rules){ .path = path ? path : RULES_FILE };
	if (fd < 0 && !path && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return fail_errno("%s", rules->path);
	err = check_owner(rules, &st);
	if (err)
		return err;
	if (!buffer_grow(&rules->text, (size_t)st.st_size + 1))
		return fail(ENOMEM, "out of memory");
	err = read_upto(fd, rules->text.data, (size_t)st.st_size, &len);
	if (err)
		return fail_for(err, "%s", rules->path);
	rules->text.len = len;
	rules->text.data[len] = '\0';
	return parse(rules);
}

void rules_free(struct rules *rules)
{
	buffer_free(&rules->text);
	buffer_free(&rules->list);
}

const struct rule *rules_find(const struct rules *rules, const char *kind, const char *name)
{
	const struct rule *rule = rules ? (const struct rule *)(const void *)rules->list.data : NULL;

	for (size_t n = rules ? rules->list.len / sizeof(*rule) : 0; n; n--, rule++)
		if (!strcmp(rule->kind, kind) && glob_match(rule->pattern, name))
			return rule;
	return NULL;
}
