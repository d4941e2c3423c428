/* SPDX-License-Identifier: MIT */
/* The file of a service, whatever is in it: refused, or as the rest of the tool may rely on. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "image/crc32c.h"
#include "service/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fuzzers are linked without the machine's own; no image is read here. */
crc32c_function *arch_crc32c(void)
{
	return NULL;
}

static void need(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	need(fd >= 0 && !write_all(fd, data, size), "the file cannot be written");
	close(fd);
}

/* Words as a command line has them. */
static void check_options(const struct buffer *options)
{
	for (size_t i = 0; i < options->len;) {
		size_t len = strnlen((const char *)options->data + i, options->len - i);

		need(i + len < options->len, "an option without an end");
		need(!strncmp((const char *)options->data + i, "--", 2), "an operand among options");
		need(!memchr(options->data + i, '\n', len), "an option of two lines");
		i += len + 1;
	}
}

static void check_text(const char *text)
{
	need(!text || (*text && !strpbrk(text, "\n\r\033")), "a text that is empty, or of two lines");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct option save[] = {
		{ "inherit-stdio", no_argument, NULL, 'I' }, { "output", required_argument, NULL, 'o' },
		{ "rules", required_argument, NULL, 'r' },   { "embed", optional_argument, NULL, 'e' }, { 0 },
	};
	static const struct option restore[] = {
		{ "clock", required_argument, NULL, 'c' }, { "rules", required_argument, NULL, 'r' }, { 0 },
	};
	static char folder[] = "/dev/shm/tinyckpt-fuzz.XXXXXX", path[64];
	struct buffer services = { 0 };
	const struct service *s;

	if (!path[0]) {
		need(mkdtemp(folder) != NULL, "no folder");
		snprintf(path, sizeof(path), "%s/x.conf", folder);
		log_init(NULL, LOG_QUIET, 2);
	}
	write_file(path, data, size);
	need(!services_read(&services, folder, NULL, save, restore), "the folder cannot be read");
	need(services.len == sizeof(*s), "not one service");
	s = (const struct service *)(const void *)services.data;
	if (!s->err) {
		need(!!s->pidfile + !!s->cgroup + !!s->unit + (s->command && !s->pidfile) == 1, "not one way to the process");
		need(s->settle <= 86400 && s->timeout <= 86400, "a time beyond bounds");
		check_text(s->pidfile);
		check_text(s->command);
		check_text(s->cgroup);
		check_text(s->unit);
		check_text(s->start);
		check_options(&s->save);
		check_options(&s->restore);
	}
	services_free(&services);
	return 0;
}
