/* SPDX-License-Identifier: MIT */
#ifndef TINYCKPT_SERVICE_START_H
#define TINYCKPT_SERVICE_START_H

#include "service/conf.h"

/*
 * Starts a service by its start= line, as nothing else is by tinyckpt: /bin/sh in a session of its own, in the root directory,
 * with standard input from /dev/null.  A line that ends at once, as it started a daemon, has to end well; one that
 * goes on after settle= seconds is left to itself.  0, or a negative errno, with the reason in why (cap bytes), unsaid.
 */
int service_start(const struct service *s, char *why, size_t cap);

/* The same in place of tinyckpt, with the standard streams and the session that it has: does not return.  There is a line. */
void service_become(const struct service *s) __attribute__((noreturn));

#endif
