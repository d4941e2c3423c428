/* SPDX-License-Identifier: MIT */
#include "image/firmware.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/io.h"
#include "base/scope.h"

enum { FILE_MAX = 4096, VALUE_MAX = 64 };

/* As the shell would read it, as far as names go: one pair of quotes around all of it, a backslash takes the next as it is. */
static void unquote(char to[VALUE_MAX], const char *from)
{
	char quote = '\0';
	size_t n = 0;

	if (*from == '"' || *from == '\'')
		quote = *from++;
	for (; *from && *from != quote && n < VALUE_MAX - 1; from++) {
		if (*from == '\\' && quote != '\'' && from[1])
			from++;
		to[n++] = *from;
	}
	to[n] = '\0';
}

static bool is_key(const char *line, const char *key)
{
	const size_t len = strlen(key);

	return !strncmp(line, key, len) && line[len] == '=';
}

void firmware_name(char *to, size_t cap)
{
	static const char *const keys[] = { "PRETTY_NAME", "NAME", "VERSION" };
	char text[FILE_MAX + 1], values[3][VALUE_MAX] = { "" }, both[2 * VALUE_MAX];
	CLEANUP_CLOSE int fd = open("/etc/os-release", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len;

	*to = '\0';
	if (fd < 0)
		fd = open("/usr/lib/os-release", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || read_upto(fd, text, FILE_MAX, &len))
		return;
	text[len] = '\0';
	for (char *line = text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (is_key(line, keys[i]))
				unquote(values[i], line + strlen(keys[i]) + 1);
	}
	snprintf(both, sizeof(both), "%s%s%s", values[1], *values[1] && *values[2] ? " " : "", values[2]);
	/* nothing but what is text goes into a message of that type */
	escape(to, cap, *values[0] ? values[0] : both, strlen(*values[0] ? values[0] : both));
}
