/* SPDX-License-Identifier: MIT */
/*
 * Rules: what becomes of a resource that the world may have changed by the time of the restore (tinyckpt.rules(5)).
 * A line is `KIND PATTERN ACTION`; the first one that matches a resource decides, and without one its object does.
 */
#ifndef TINYCKPT_OBJECTS_RULES_H
#define TINYCKPT_OBJECTS_RULES_H

#include <stdint.h>

#include "base/buffer.h"
#include "config.h"

#define RULES_FILE "/etc/tinyckpt/rules"

/* Images have these numbers: they stay. */
enum rule_action {
	ACTION_EXACT,		/* of a file: size and time of modification must hold */
	ACTION_GROW,		/* more may have been written to it */
	ACTION_APPEND,		/* whatever it is now: the descriptor goes to its end; made anew where it is missing */
	ACTION_RECREATE,	/* whatever it is now, the offset stays; made anew where it is missing */
	ACTION_SNAPSHOT,	/* its content goes along */
	ACTION_REOPEN,		/* opened again by its name */
	ACTION_KEEP,		/* comes back with all that was in it */
	ACTIONS,
};
#define ACTION_BIT(action) (UINT32_C(1) << (action))

struct rule {
	const char *kind, *pattern;
	uint32_t line;
	uint8_t action;
};

struct rules {
	const char *path;	/* of the file, as it was given; the caller's */
	struct buffer text, list;	/* the file, taken apart; struct rule */
};

/*
 * Reads PATH, or RULES_FILE, which need not be there, for NULL.  0 or a negative error, said: -EUSAGE for what is wrong in
 * the file, with its line, and for a file that others could write to.  The caller frees *RULES either way.
 */
int rules_read(struct rules *rules, const char *path);
void rules_free(struct rules *rules);

/* The first rule for NAME, a resource of KIND; NULL: there is none.  RULES may be NULL. */
const struct rule *rules_find(const struct rules *rules, const char *kind, const char *name);

/* The word for it. */
const char *rule_action_name(enum rule_action action);

/* Members of objects that mean nothing without rules: without the toggle they vanish. */
#define IF_RULES(value) (IS_ON_RULES ? (value) : 0)

#endif
