/* SPDX-License-Identifier: MIT */
/* Messages to a person: one line each, "tinyckpt: save: pid 42 (sensor): fd 7: what: why". */
#ifndef TINYCKPT_BASE_LOG_H
#define TINYCKPT_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_QUIET = -1, /* nothing at all, not even errors */
	LOG_ERROR = 0,
	LOG_WARNING,
	LOG_NOTICE, /* the default */
	LOG_INFO,   /* -v */
	LOG_DEBUG,  /* -vv */
};

/*
 * Sets the subcommand named in front of every line (NULL for none; the string is kept, not copied), the most
 * talkative level that is still printed, and where lines go (the descriptor stays the caller's). Before the first
 * call: no subcommand, LOG_NOTICE, descriptor 2.
 */
void log_init(const char *command, int level, int fd);

/*
 * Prints one line if LEVEL is wanted: prefix, context (see CONTEXT), text, newline, in one write(2), so that lines of
 * several processes do not mix. Control characters are escaped (base/escape.h), as names in messages are hostile. A
 * line is cut at about 1 KiB, and dropped when nobody takes it within a second. errno is left as it was.
 */
void log_at(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_at(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/*
 * Says why something failed, at LOG_ERROR, and returns the number to return: -|ERR|. ERR is an errno, its negative,
 * or a private number of base/error.h; 0 counts as EIO, so that a failure never turns into a success.
 */
int fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/* As fail(errno, ...), with ": " and errno's text at the end of the line. */
int fail_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));

/* The same of err, positive or negative. */
int fail_for(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/*
 * CONTEXT("pid %d (%s)", pid, comm): until the end of the enclosing scope every line carries "pid 42 (sensor): " in
 * front of its text, behind the contexts of the scopes around. The text is made at once, so the arguments need not
 * live on. All contexts together share a fixed buffer of 512 bytes: what does not fit is cut, never allocated.
 */
#define CONTEXT(...) CONTEXT_AT(__COUNTER__, __VA_ARGS__)
#define CONTEXT_AT(n, ...) CONTEXT_NAMED(n, __VA_ARGS__)
#define CONTEXT_NAMED(n, ...) \
	__attribute__((cleanup(context_pop), unused)) size_t context_##n = context_push(__VA_ARGS__)

/* Behind CONTEXT: adds to the context and returns its length before; cuts it back to that length. */
size_t context_push(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void context_pop(const size_t *length);

/* What a run has come to: says the error if no error was said, as no run fails without a word. */
void log_unsaid(int err);

/* Another process has said why. */
void log_said(void);

/* What was said of a failure, in memory that processes may share. */
struct said {
	unsigned int errors;
	char first[768];	/* with its context, but for what was there when it began */
	bool killed;		/* who was to say how it ended */
	int err;		/* what the run has come to, as log_unsaid() was told */
};

/* From now on errors go to TO, in this process and its children; they are printed too from LOG_INFO on. */
void log_keep(struct said *to);

/* What stands in front of a line's text now: "pid 42 (sensor): ", or "". */
const char *log_context(void);

#endif
