/* SPDX-License-Identifier: MIT */
/* The files that say what a workload is: DIR/NAME.conf, tinyckpt.conf(5). */
#ifndef TINYCKPT_SERVICE_CONF_H
#define TINYCKPT_SERVICE_CONF_H

#include <getopt.h>

#include "base/buffer.h"

enum { SERVICE_NAME_MAX = 64 };

struct service {
	char name[SERVICE_NAME_MAX + 1];
	int err;			/* its file is no good, which was said: nothing but the name counts */
	char *text;			/* what the next ones point into; owned */
	const char *pidfile, *command, *cgroup, *unit;	/* which process it is; NULL: not that way */
	const char *start;		/* a command line for /bin/sh, or NULL */
	unsigned int settle, timeout;	/* seconds */
	struct buffer save, restore;	/* options of these commands as they stand on a command line, each ended by a NUL */
};

/*
 * Reads the file of every service in DIR, or that of ONLY when it isn't NULL, into SERVICES (struct service, in the order of
 * names; the caller hands it to services_free(), on an error too).  SAVE and RESTORE are the commands' long options that a
 * file may name.  A directory that does not exist has no services.  0, or a negative error, said; a single file that is no
 * good is no error: see service.err.
 */
int services_read(struct buffer *services, const char *dir, const char *only, const struct option *save,
		  const struct option *restore);

void services_free(struct buffer *services);

/* So long, in ms, all services of DIR take at most, with nothing else going on.  Nothing is said. */
int64_t services_longest(const char *dir, const struct option *save, const struct option *restore);

/* What stands behind the last option of that name ("--key") of its restore, as it will be read by that; NULL: it has none. */
const char *service_restore_option(const struct service *s, const char *name);

#endif
