/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/io.h"

static const char *log_command;
static int log_level = LOG_NOTICE;
static int log_fd = 2;
static bool error_said;

enum { PATIENCE_MS = 1000 };
static int patience = PATIENCE_MS;	/* with the reader of the next line */

static char context[512];
static size_t context_len;

static struct said *kept;
static size_t kept_context;

void log_init(const char *command, int level, int fd)
{
	log_command = command;
	log_level = level;
	log_fd = fd;
}

/* Appends to TEXT (LEN of CAP bytes used, NUL included in CAP) and returns the new length; what does not fit is cut. */
static size_t append(char *text, size_t len, size_t cap, const char *fmt, va_list args)
{
	int n = vsnprintf(text + len, cap - len, fmt, args);

	if (n < 0)
		return len;
	return (size_t)n < cap - len ? len + (size_t)n : cap - 1;
}

static size_t append_text(char *text, size_t len, size_t cap, const char *piece)
{
	size_t n = strlen(piece);

	if (n > cap - 1 - len)
		n = cap - 1 - len;
	memcpy(text + len, piece, n);
	text[len + n] = '\0';
	return len + n;
}

/* True when that is all that becomes of it. */
static bool keep(int level, const char *reason, const char *fmt, va_list args)
{
	char *text = kept->first;
	size_t len;

	if (level != LOG_ERROR)
		return false;
	if (kept->errors++)
		return log_level < LOG_INFO;
	len = append_text(text, 0, sizeof(kept->first), context + (context_len < kept_context ? context_len : kept_context));
	len = append(text, len, sizeof(kept->first), fmt, args);
	if (reason) {
		len = append_text(text, len, sizeof(kept->first), ": ");
		append_text(text, len, sizeof(kept->first), reason);
	}
	return log_level < LOG_INFO;
}

static void print(int level, const char *reason, const char *fmt, va_list args)
{
	char raw[1024];
	char line[1280];
	size_t len = 0;
	int saved = errno;

	error_said |= level == LOG_ERROR;
	if (kept) {
		va_list again;
		bool enough;

		va_copy(again, args);
		enough = keep(level, reason, fmt, again);
		va_end(again);
		errno = saved;
		if (enough)
			return;
	}
	if (level > log_level)
		return;
	len = append_text(raw, len, sizeof(raw), "tinyckpt: ");
	if (log_command) {
		len = append_text(raw, len, sizeof(raw), log_command);
		len = append_text(raw, len, sizeof(raw), ": ");
	}
	if (level == LOG_WARNING)
		len = append_text(raw, len, sizeof(raw), "warning: ");
	len = append_text(raw, len, sizeof(raw), context);
	len = append(raw, len, sizeof(raw), fmt, args);
	if (reason) {
		len = append_text(raw, len, sizeof(raw), ": ");
		len = append_text(raw, len, sizeof(raw), reason);
	}
	len = escape(line, sizeof(line) - 1, raw, len);
	line[len++] = '\n';
	/*
	 * A message that cannot be printed has nowhere to be reported.  Whoever no longer reads, a console held by XOFF or a log
	 * daemon that hangs, is not to hold up a boot, or a workload that stands still.
	 */
	patience = poll(&(struct pollfd){ .fd = log_fd, .events = POLLOUT }, 1, patience) > 0 ? PATIENCE_MS : 0;
	if (patience)
		(void)write_all(log_fd, line, len);
	errno = saved;
}

void log_at(int level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(level, NULL, fmt, args);
	va_end(args);
}

int fail(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(LOG_ERROR, NULL, fmt, args);
	va_end(args);
	return err ? -abs(err) : -EIO;
}

static int fail_because(int err, const char *fmt, va_list args)
{
	err = err ? abs(err) : EIO;
	print(LOG_ERROR, strerror(err), fmt, args);
	return -err;
}

int fail_for(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err = fail_because(err, fmt, args);
	va_end(args);
	return err;
}

int fail_errno(const char *fmt, ...)
{
	va_list args;
	int err = errno;

	va_start(args, fmt);
	err = fail_because(err, fmt, args);
	va_end(args);
	return err;
}

size_t context_push(const char *fmt, ...)
{
	size_t before = context_len;
	int saved = errno;
	va_list args;

	va_start(args, fmt);
	context_len = append(context, context_len, sizeof(context), fmt, args);
	va_end(args);
	context_len = append_text(context, context_len, sizeof(context), ": ");
	errno = saved;
	return before;
}

void context_pop(const size_t *length)
{
	context_len = *length;
	context[context_len] = '\0';
}

void log_keep(struct said *to)
{
	kept = to;
	kept_context = context_len;
}

void log_said(void)
{
	error_said = true;
}

void log_unsaid(int err)
{
	if (kept)
		kept->err = err;
	if (!error_said)
		fail(err, "%s", strerror(abs(err)));
}

const char *log_context(void)
{
	return context;
}
