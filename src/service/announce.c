/* SPDX-License-Identifier: MIT */
#include "service/announce.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/escape.h"
#include "base/io.h"
#include "base/log.h"
#include "base/scope.h"

/* syslog(3): facility daemon, and the severities of error, warning, notice */
enum { DAEMON = 3 << 3 };

static int to_daemon(const char *text, size_t len)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return -1;
	return send(fd, text, len, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void to_kernel(const char *text, size_t len)
{
	CLEANUP_CLOSE int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		(void)write_all(fd, text, len);	/* it went to standard error, too */
}

void announce(int level, const char *fmt, ...)
{
	char text[896], safe[900], line[1024];
	va_list args;
	int len;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_at(level, "%s", text);
	escape(safe, sizeof(safe), text, strlen(text));
	len = snprintf(line, sizeof(line), "<%d>tinyckpt: %s%s", DAEMON + 3 + level, log_context(), safe);
	if (len >= (int)sizeof(line))
		len = (int)sizeof(line) - 1;
	if (to_daemon(line, (size_t)len))
		to_kernel(line, (size_t)len);
}
